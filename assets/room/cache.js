// Answers of the server that are asked for again and again: the latest few are kept.

class Latest {
  constructor(most) {
    this.most = most;
    this.known = new Map();
  }

  // Gives the promise of a key, made at its first use. One that fails is forgotten.
  get(key, make) {
    let promise = this.known.get(key);
    if (promise) this.known.delete(key);
    else {
      promise = make();
      promise.catch(() => this.known.get(key) === promise && this.known.delete(key));
    }
    this.known.set(key, promise);
    if (this.known.size > this.most) this.known.delete(this.known.keys().next().value);
    return promise;
  }

  has(key) {
    return this.known.has(key);
  }
}
