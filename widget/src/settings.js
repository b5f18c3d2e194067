/** A file of its own in the archive: few people ever open the settings window, nobody else should load its code. */

export { createSettings as default } from "./views/settings.js";
