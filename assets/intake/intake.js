// On every page: opens the session's store, which takes dropped files and goes on sending them.

export default function ({ data }) {
  openRoom(data);
}
