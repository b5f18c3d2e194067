/** The page's words; `text(key)` gives them in the chosen language. */

const RU = {
  stand_in: "учебная АТС",
  outside: "Звонящий",
  from: "С номера",
  anonymous: "Скрыть номер",
  to_line: "На линию",
  scenario: "Что будет",
  rings: "Звонят телефоны",
  group: "Группа",
  call: "Позвонить",
  desks: "Телефоны сотрудников",
  last_calls: "Последние звонки",
  no_calls: "Звонков ещё не было. Позвоните слева или нажмите на номер в amoCRM.",
  webhooks: "Вебхуки",
  no_webhooks: "Здесь появится всё, что АТС отправит виджету, и его ответы.",
  transfer_to: "Перевести звонок",
  or_number: "или на номер",
  cancel: "Отмена",
  consult: "Сначала спросить",
  transfer: "Перевести",
  answer: "Ответить",
  reject: "Отклонить",
  hang_up: "Положить трубку",
  idle: "Свободен",
  ringing: "Звонит",
  talking: "Разговор",
  held: "Удержание",
  menu: "Слушает меню",
  waiting: "Ждёт ответа",
  hidden: "Номер скрыт",
  client_phone: "Телефон клиента",
  ended: "завершён",
  by_api: "заказ из CRM",
  no_hook: "Адрес для событий не задан",
  hook: "События уходят на",
  suspended: "Отправка остановлена: слишком много плохих ответов",
  lost: "АТС не отвечает. Песочница запущена?",
  no_answer: "нет ответа",
  in: "входящий",
  out: "исходящий",
  internal: "внутренний",
  light: "Светлая",
  dark: "Тёмная",
  other_language: "English",
  by_hand: "Веду сам",
  answered: "Ответят и поговорят",
  missed: "Никто не ответит",
  busy: "Занято",
  cancelled: "Клиент не дождётся",
  group_call: "Группа: ответит второй",
  transfer_call: "Перевод на 203",
  callback: "Звонок из CRM (обратный)",
  ms: "мс",
  bad_number: "Это не номер. Введите +7… или короткий номер.",
  bad_extensions: "Выберите хотя бы один телефон или группу.",
  not_now: "Сейчас это действие со звонком невозможно.",
  call_gone: "Этого звонка больше нет. Обновите страницу.",
  "caller hung up": "положил трубку звонивший",
  "callee hung up": "положил трубку принявший",
  "cancelled while ringing": "не дождался ответа",
  "no answer": "никто не ответил",
  rejected: "отклонён",
  unavailable: "недоступен",
  "answered elsewhere": "ответил другой",
  "ended by the API": "завершён командой CRM",
  "left the scheme": "закончился в меню",
};

const EN = {
  stand_in: "stand-in PBX",
  outside: "Caller",
  from: "From",
  anonymous: "Withhold the number",
  to_line: "To the line",
  scenario: "What happens",
  rings: "Phones that ring",
  group: "Group",
  call: "Call",
  desks: "Desk phones",
  last_calls: "Latest calls",
  no_calls: "No calls yet. Call on the left, or click a number in amoCRM.",
  webhooks: "Webhooks",
  no_webhooks: "Everything the PBX sends to the widget will show up here, with its answers.",
  transfer_to: "Transfer the call",
  or_number: "or to a number",
  cancel: "Cancel",
  consult: "Ask first",
  transfer: "Transfer",
  answer: "Answer",
  reject: "Reject",
  hang_up: "Hang up",
  idle: "Free",
  ringing: "Ringing",
  talking: "Talking",
  held: "On hold",
  menu: "Hears the menu",
  waiting: "Waits for an answer",
  hidden: "Number withheld",
  client_phone: "Client's phone",
  ended: "ended",
  by_api: "ordered by the CRM",
  no_hook: "No address for events",
  hook: "Events go to",
  suspended: "Delivery stopped: too many bad answers",
  lost: "The PBX does not answer. Is the sandbox running?",
  no_answer: "no answer",
  in: "incoming",
  out: "outgoing",
  internal: "internal",
  light: "Light",
  dark: "Dark",
  other_language: "Русский",
  by_hand: "I steer it",
  answered: "Answered, they talk",
  missed: "Nobody answers",
  busy: "Busy",
  cancelled: "The client gives up",
  group_call: "Group: the second answers",
  transfer_call: "Transfer to 203",
  callback: "Call from the CRM (callback)",
  bad_number: "This is not a number. Enter +7… or a short number.",
  bad_extensions: "Choose at least one phone or group.",
  not_now: "This cannot be done to the call now.",
  call_gone: "This call is gone. Reload the page.",
};

const TEXTS = { ru: RU, en: EN };
let language = localStorage.getItem("phone.language") || "ru";

/** @param {string} key @param {string} [otherwise] @returns {string} */
export function text(key, otherwise = key) {
  return TEXTS[language][key] ?? otherwise;
}

/** Switch to the other language and remember it. */
export function switchLanguage() {
  language = language === "ru" ? "en" : "ru";
  localStorage.setItem("phone.language", language);
  applyTexts();
}

/** Fill every element that names its text. */
export function applyTexts() {
  document.documentElement.lang = language;
  for (const node of document.querySelectorAll("[data-text]")) node.textContent = text(node.dataset.text);
}

/** +7 916 123-45-67 from digits; short numbers stay as they are. @param {string} digits */
export function phoneText(digits) {
  const parts = /^7(\d{3})(\d{3})(\d{2})(\d{2})$/.exec(digits);
  return parts ? `+7 ${parts[1]} ${parts[2]}-${parts[3]}-${parts[4]}` : digits || text("hidden");
}

/** Minutes and seconds. @param {number} seconds */
export function clockText(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}
