import type { z } from "zod";
import { type Runtime, withDirectDb } from "./context.ts";
import type { Db } from "./database/doors.ts";
import { describeError, logLine } from "./log.ts";

export interface JobContext extends Runtime {
  dbDirect: Db;
}

/** One kind of queued work. A message may be delivered twice: `run` must count it once. */
export interface Job {
  name: string;
  run(context: JobContext, payloads: unknown[]): Promise<void>;
}

export interface JobOf<Payload> extends Job {
  /** Queues the payload; resolves once the queue has it. */
  enqueue(runtime: Runtime, payload: Payload): Promise<void>;
}

export interface JobMessage {
  job: string;
  payload: unknown;
}

/** A job whose payloads are checked by `schema` when they are queued and again when they are run, in batches. */
export function defineJob<Payload>(
  name: string,
  schema: z.ZodType<Payload>,
  handle: (context: JobContext, payloads: Payload[]) => Promise<void>,
): JobOf<Payload> {
  return {
    name,
    run: (context, payloads) =>
      handle(
        context,
        payloads.map((payload) => schema.parse(payload)),
      ),
    async enqueue({ env }, payload) {
      const message: JobMessage = { job: name, payload: schema.parse(payload) };
      await env.JOBS.send(message);
    },
  };
}

/** Runs a delivered batch, job by job; the messages of a job that fails are retried, the others acknowledged. */
export async function runBatch(jobs: Job[], batch: MessageBatch<JobMessage>, runtime: Runtime): Promise<void> {
  const byJob = Map.groupBy(batch.messages, (message) => message.body.job);
  await withDirectDb(runtime, async (dbDirect) => {
    for (const [name, messages] of byJob) await runJob(jobs, { ...runtime, dbDirect }, { name, messages });
  });
}

type Delivery = { name: string; messages: Message<JobMessage>[] };

async function runJob(jobs: Job[], context: JobContext, { name, messages }: Delivery): Promise<void> {
  try {
    const job = jobs.find((candidate) => candidate.name === name);
    if (!job) throw new Error(`no such job: ${name}`);
    await job.run(
      context,
      messages.map((message) => message.body.payload),
    );
    for (const message of messages) message.ack();
  } catch (error) {
    logLine("error", "job failed", { job: name, messages: messages.length, error: describeError(error) });
    for (const message of messages) message.retry();
  }
}
