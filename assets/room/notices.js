// What lies over any page: the veil while files are dragged, and short notices.

const STYLE = `
  .veil { position: fixed; inset: 0; z-index: 1000000; display: grid; place-items: center; pointer-events: none;
    background: rgb(14 18 23 / 60%); outline: 3px dashed #6cb4e0; outline-offset: -12px;
    font: 600 1.5rem "Source Sans", sans-serif; color: #fff; }
  .toast { position: fixed; right: 1rem; bottom: 1rem; z-index: 1000000; padding: 0.75rem 1rem; border-radius: 0.5rem;
    background: #1a2129; border: 1px solid #6cb4e0; color: #dfe5ea; font: 1rem "Source Sans", sans-serif; }
  [hidden] { display: none; }
`;
const TOAST = 4000; // milliseconds

// Beside Streamlit's own content, which it draws anew for each page.
function overPage() {
  const host = document.createElement("div"), root = host.attachShadow({ mode: "open" });
  const style = document.createElement("style");
  style.textContent = STYLE;
  root.append(style);
  document.body.append(host);
  return root;
}

class Veil {
  show(words) {
    if (!this.part) {
      this.part = document.createElement("div");
      this.part.className = "veil";
      overPage().append(this.part);
    }
    [this.part.textContent, this.part.hidden] = [words, false];
  }

  hide() {
    if (this.part) this.part.hidden = true;
  }
}

let toast = null, hiding = 0;

// Says that files were taken, where no list shows it.
function notify(store, count) {
  if (document.querySelector(".st-key-worklist")) return;
  if (!toast) {
    toast = document.createElement("div");
    toast.className = "toast";
    toast.setAttribute("role", "status");
    overPage().append(toast);
  }
  toast.textContent = (count === 1 ? store.words.added_one : store.words.added).replace("{count}", count);
  toast.hidden = false;
  clearTimeout(hiding);
  hiding = setTimeout(() => (toast.hidden = true), TOAST);
}
