import { connect, type Socket } from "node:net";
import { MessageChannel, type MessagePort, Worker } from "node:worker_threads";

/** What the worker is started with. */
export interface DumpRequest {
  args: string[];
  port: MessagePort;
  /** Holds 1 once an answer has been posted. */
  signal: SharedArrayBuffer;
}

type Outcome = { dump: string } | { failure: string };

/**
 * Runs the pg_dump 18 that comes as a package, on any Postgres up to 18 that is reached without TLS, embedded ones
 * included. It waits for its answers by standing still, and so has a thread of its own.
 * @returns what pg_dump writes. @throws Error with what it complains of.
 */
export async function runPackagedPgDump(url: string, args: string[]): Promise<string> {
  const { hostname, port, username, password, pathname } = new URL(url);
  const socket = connect(Number(port || 5432), hostname);
  const answers = new Answers(socket);
  const { port1, port2 } = new MessageChannel();
  const signal = new SharedArrayBuffer(4);
  const parts = {
    user: decodeURIComponent(username),
    password: decodeURIComponent(password),
    dbname: pathname.slice(1),
  };
  const address = Object.entries(parts).map(([name, value]) => `${name}='${value.replaceAll(/['\\]/g, "\\$&")}'`);
  const request: DumpRequest = { args: [...args, `--dbname=${address.join(" ")}`], port: port2, signal };
  const worker = new Worker(new URL("./pg-dump-worker.ts", import.meta.url), {
    workerData: request,
    transferList: [port2],
  });
  port1.on("message", (piece: Uint8Array) => {
    void answers.to(piece).then((answer) => {
      port1.postMessage(answer);
      Atomics.store(new Int32Array(signal), 0, 1);
      Atomics.notify(new Int32Array(signal), 0);
    });
  });
  try {
    return await outcomeOf(worker);
  } finally {
    socket.destroy();
    port1.close();
    await worker.terminate();
  }
}

function outcomeOf(worker: Worker): Promise<string> {
  return new Promise((resolve, reject) => {
    worker.once("error", reject);
    worker.once("exit", () => reject(new Error("pg_dump ended early")));
    worker.once("message", (outcome: Outcome) => {
      if ("dump" in outcome) resolve(outcome.dump);
      else reject(new Error(outcome.failure.split("error: ").at(-1)));
    });
  });
}

const letter = (text: string) => text.charCodeAt(0);
/** The client's messages that a server answers; those of a startup have no type. */
const asking = new Set(["Q", "S", "H", "p"].map(letter));

/** One side of a conversation in which the server speaks when it is asked, and then until it waits for the client. */
class Answers {
  readonly #socket: Socket;
  #received: Buffer[] = [];
  #wake = () => {};
  #isOver = false;
  #isStarted = false;
  #asked = Buffer.alloc(0);

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("data", (chunk) => {
      this.#received.push(chunk);
      this.#wake();
    });
    // Nothing more comes: the client finds its answer too short, and says so.
    for (const end of ["error", "close"]) {
      socket.on(end, () => {
        this.#isOver = true;
        this.#wake();
      });
    }
  }

  /** Sends a piece of what the client says; the answer is empty until the piece completes a question. */
  async to(piece: Uint8Array): Promise<Uint8Array> {
    this.#socket.write(piece);
    if (!this.#completesQuestion(piece)) return new Uint8Array();
    for (;;) {
      const answer = Buffer.concat(this.#received);
      if (this.#isOver || waitsForClient(answer)) {
        this.#received = [];
        return answer;
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  #completesQuestion(piece: Uint8Array): boolean {
    this.#asked = Buffer.concat([this.#asked, piece]);
    let isQuestion = false;
    for (;;) {
      const start = this.#isStarted ? 1 : 0;
      if (this.#asked.length < start + 4) return isQuestion;
      const size = start + this.#asked.readInt32BE(start);
      if (this.#asked.length < size) return isQuestion;
      isQuestion = !this.#isStarted || asking.has(this.#asked[0] ?? 0);
      this.#isStarted = true;
      this.#asked = this.#asked.subarray(size);
    }
  }
}

/** Whether the last message is one after which the server says nothing by itself: ready, or a step of the login. */
function waitsForClient(answer: Buffer): boolean {
  let waits = false;
  for (let at = 0; at < answer.length; ) {
    if (at + 5 > answer.length) return false;
    const size = 1 + answer.readInt32BE(at + 1);
    if (at + size > answer.length) return false;
    const isLoginStep = answer[at] === letter("R") && ![0, 12].includes(answer.readInt32BE(at + 5));
    waits = answer[at] === letter("Z") || isLoginStep;
    at += size;
  }
  return waits;
}
