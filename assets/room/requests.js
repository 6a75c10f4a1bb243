// Requests to the room of this session. The token travels in a header, so that no address holds a secret.

const FIRST_PAUSE = 400, LONGEST_PAUSE = 8000; // milliseconds between two tries
const MOST_ERRORS = 3; // of the server itself, after which what comes next has its turn

const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

class Requests {
  constructor(base, token) {
    [this.base, this.token, this.ended] = [base, token, false];
  }

  // Resolves with any answer of the server, and rejects only where none came.
  send(method, path, { body, type, signal, priority } = {}) {
    const headers = { "X-Room": this.token, ...(type ? { "Content-Type": type } : {}) };
    return fetch(`${this.base}/room/${path}`, { method, headers, body, signal, priority, cache: "no-store" });
  }

  get(path, options) {
    return this.send("GET", path, options);
  }

  // Tries again until the server has answered: what the user did is not lost on a bad connection.
  async post(path, value = {}) {
    const body = JSON.stringify(value);
    let errors = 0;
    for (let wait = FIRST_PAUSE; !this.ended; wait = Math.min(2 * wait, LONGEST_PAUSE)) {
      try {
        const answer = await this.send("POST", path, { body, type: "application/json" });
        if (answer.status < 500 || (answer.status === 500 && ++errors >= MOST_ERRORS)) return answer;
      } catch {
        // no answer
      }
      await pause(wait);
    }
    return undefined;
  }
}
