// Files and folders may be dropped anywhere on any page.

const hasFiles = (event) => event.dataTransfer?.types.includes("Files");

function takeDrops(store) {
  const on = (type, listener) => window.addEventListener(type, listener, { capture: true });
  on("dragenter", (event) => hasFiles(event) && say("veil", "", store.words.drop_here));
  on("dragleave", (event) => hasFiles(event) && !event.relatedTarget && hide("veil"));
  on("dragover", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = "copy";
  });
  on("drop", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    event.stopPropagation();
    hide("veil");
    store.add(filesOf(event.dataTransfer));
  });
}

// Entries must be taken before the event is over; folders are then read one after the other.
function filesOf(transfer) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  const files = [...transfer.files];
  return entries.some((entry) => entry.isDirectory) ? filesWithin(entries) : files;
}

async function filesWithin(entries) {
  const files = [];
  for (const entry of entries) {
    try {
      if (entry.isFile) files.push(await new Promise((resolve, reject) => entry.file(resolve, reject)));
      else files.push(...(await filesWithin(await entriesOf(entry))));
    } catch {
      files.push({ name: entry.name, size: 0 }); // its row says that the browser cannot read it
    }
  }
  return files;
}

async function entriesOf(folder) {
  const reader = folder.createReader(), found = [];
  for (;;) {
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (!some.length) break;
    found.push(...some.filter((entry) => !entry.name.startsWith(".")));
  }
  return found.sort((a, b) => a.name.localeCompare(b.name, undefined, { numeric: true }));
}
