// What lies over any page: the veil while files are dragged, and short notices.

const STYLE = `
  .veil { position: fixed; inset: 0; z-index: 1000000; display: grid; place-items: center; pointer-events: none;
    background: rgb(14 18 23 / 60%); outline: 3px dashed #6cb4e0; outline-offset: -12px;
    font: 600 1.5rem "Source Sans", sans-serif; color: #fff; }
  .toast { position: fixed; right: 1rem; bottom: 1rem; z-index: 1000000; padding: 0.75rem 1rem; border-radius: 0.5rem;
    background: #1a2129; border: 1px solid #6cb4e0; color: #dfe5ea; font: 1rem "Source Sans", sans-serif; }
  .lost { position: fixed; left: 50%; top: 4rem; z-index: 1000000; transform: translateX(-50%); max-width: 40rem;
    width: calc(100% - 2rem); box-sizing: border-box; padding: 0.75rem 1rem; border-radius: 0.5rem;
    background: #2b2611; border: 1px solid #7a6a24; color: #f2ead0; font: 1rem "Source Sans", sans-serif; }
  [hidden] { display: none; }
`;
const TOAST = 4000; // milliseconds

const parts = new Map();

// A part over the page, beside Streamlit's own content, which it draws anew for each page.
function overPage(name, role) {
  if (!parts.has(name)) {
    const host = document.createElement("div"), root = host.attachShadow({ mode: "open" });
    const style = document.createElement("style"), part = document.createElement("div");
    style.textContent = STYLE;
    part.className = name;
    if (role) part.setAttribute("role", role);
    root.append(style, part);
    document.body.append(host);
    parts.set(name, part);
  }
  return parts.get(name);
}

function say(name, role, words) {
  const part = overPage(name, role);
  [part.textContent, part.hidden] = [words, false];
}

function hide(name) {
  if (parts.has(name)) parts.get(name).hidden = true;
}

let hiding = 0;

// Says that files were taken, where no list shows it.
function notify(store, count) {
  if (document.querySelector(".st-key-worklist")) return;
  say("toast", "status", (count === 1 ? store.words.added_one : store.words.added).replace("{count}", count));
  clearTimeout(hiding);
  hiding = setTimeout(() => hide("toast"), TOAST);
}

// Says that the images are gone, until new ones come.
function warnOfLoss(store) {
  if (store.lost) say("lost", "alert", store.words.lost_session);
  else hide("lost");
}
