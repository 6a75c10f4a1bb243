// On every page: images may be dropped, the page knows whether there are any, and a phone's menu closes after a tap.

const MENU = '[data-testid="stSidebar"]', LINK = '[data-testid="stSidebarNavLink"]';
const CLOSE = '[data-testid="stSidebarCollapseButton"] button';

function closeMenu(event) {
  if (!event.target.closest?.(`${MENU} ${LINK}`)) return;
  // After Streamlit has taken the tap.
  setTimeout(() => document.querySelector(`${MENU}[data-collapsed="false"] ${CLOSE}`)?.click());
}

export default function ({ data }) {
  const store = openRoom(data);
  const draw = () => (document.documentElement.dataset.room = store.rows.size ? "full" : "empty");
  if (!window.cxrMenu) window.cxrMenu = document.addEventListener("click", closeMenu) ?? true;
  draw();
  return store.subscribe(draw);
}
