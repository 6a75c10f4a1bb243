// Gives every component of the page the same store. Every component brings these scripts; the first one makes it.

function openRoom(given) {
  if (!window.cxrRoom) {
    window.cxrRoom = new Store();
    takeDrops(window.cxrRoom);
    window.addEventListener("beforeunload", (event) => {
      const store = window.cxrRoom;
      if (store.rows.size && (!store.kept || store.unkept || store.busy())) event.preventDefault();
    });
  }
  window.cxrRoom.open(given);
  return window.cxrRoom;
}
