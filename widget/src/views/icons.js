/** Our drawings: paths of lines for a field of 24 by 24. Each is a name of its own, so that a bundle takes what it uses. */

const HANDSET = "M6 4.5 8.5 9 7 10.5a12 12 0 0 0 6.5 6.5L15 15.5l4.5 2.5v2.2A17 17 0 0 1 3.8 4.5z";

export const INCOMING = `M20 4l-7 7m0-5v5h5${HANDSET}`;
export const OUTGOING = `M13 11l7-7m-5 0h5v5${HANDSET}`;
export const COMPANY = "M4 21V5h9v16M13 10h7v11M2.5 21h19M7.5 9h2m-2 4h2m-2 4h2m7-3h.01m-.01 3h.01";
export const PERSON = "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM4.5 20.5a7.5 7.5 0 0 1 15 0";
export const CLOSE = "M6 6l12 12M18 6 6 18";
export const FOLD = "M6 15h12";
export const UNFOLD = "M7 14l5-5 5 5";
export const CHECK = "M5 12.5l4.5 4.5L19 7.5";
export const ALERT = "M12 8v5m0 3.5v.01M12 3 2.5 20h19z";
export const COPY = "M9 9h11v11H9zM5 15H4V4h11v1";
export const PLAY = "M8 5.5v13l10.5-6.5z";
