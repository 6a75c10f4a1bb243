// Full screen; where the browser has none for a part of a page (iPhones), the viewer covers the window.

async function toggleFullScreen(section) {
  const root = section.getRootNode();
  if (root.fullscreenElement === section) return void document.exitFullscreen();
  if (section.classList.contains("covers")) return void section.classList.remove("covers");
  try {
    await section.requestFullscreen();
  } catch {
    section.classList.add("covers");
  }
}

function isFullScreen(section) {
  return section.getRootNode().fullscreenElement === section || section.classList.contains("covers");
}
