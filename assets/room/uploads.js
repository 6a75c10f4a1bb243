// Sends the files that the server wants, a few at a time, until it has them.

const AT_ONCE = 2;

class Uploads {
  constructor(store) {
    this.store = store;
    this.files = new Map(); // by the identifier of the row; kept, so that a file can be read again
    this.active = new Map(); // what stops each
    this.sent = new Set(); // and not known to have arrived yet
    this.wait = FIRST_PAUSE;
    this.resting = false;
  }

  // Looks which files the server wants. Call it whenever the rows have changed.
  pump() {
    const { store } = this;
    if (this.resting || store.requests.ended) return;
    for (const id of this.sent) if (!store.rows.has(id)) this.sent.delete(id); // sent in vain, should it come back
    for (const [id, stop] of this.active) if (!store.rows.get(id)?.wanted) stop.abort();
    for (const id of store.order) {
      if (this.active.size >= AT_ONCE) return;
      const row = store.rows.get(id);
      if (!row.wanted) this.sent.delete(id);
      else if (!row.local && !this.active.has(id) && !this.sent.has(id)) this.files.has(id) ? this.send(id) : this.lose(id);
    }
  }

  // Tells the server that a file cannot be sent, so that its row does not wait for ever.
  lose(id) {
    this.sent.add(id);
    this.store.requests.post("lost", { id });
  }

  // Lets go of files whose rows cannot come back.
  forget(ids) {
    for (const id of ids) if (!this.store.rows.has(id)) this.files.delete(id);
  }

  async send(id) {
    const { requests } = this.store, file = this.files.get(id), stop = new AbortController();
    this.active.set(id, stop);
    let status = 0;
    try {
      if (!(file instanceof Blob)) throw new Error("no file"); // of a folder that could not be read
      const given = { body: file, type: "application/octet-stream", signal: stop.signal };
      status = (await requests.send("PUT", `files/${id}`, given)).status;
    } catch {
      if (!stop.signal.aborted && !(await isReadable(file))) status = 422;
    }
    if (status >= 200 && status < 300) {
      this.sent.add(id);
      this.wait = FIRST_PAUSE;
    } else if (stop.signal.aborted) {
      // removed or cancelled meanwhile; it may be wanted again later
    } else if ([0, 404, 408].includes(status) || status >= 500) {
      await this.rest(); // 404: the answer to a removal may be behind the one that brought the row back
    } else {
      this.lose(id);
    }
    this.active.delete(id);
    this.pump();
  }

  // Lets a busy server, or a bad connection, be for a while.
  async rest() {
    this.resting = true;
    await pause(this.wait);
    this.wait = Math.min(2 * this.wait, LONGEST_PAUSE);
    this.resting = false;
  }
}

async function isReadable(file) {
  try {
    await file.slice(0, 1).arrayBuffer();
    return true;
  } catch {
    return false;
  }
}
