// Streamlit calls this at every run of the page with the same element, and the returned function when that goes.

const shownCards = new WeakMap();

export default function ({ data, parentElement: root }) {
  shownCards.get(root)?.end();
  const card = new Card(root, openRoom(data), data.words);
  shownCards.set(root, card);
  return () => shownCards.get(root) === card && card.end();
}
