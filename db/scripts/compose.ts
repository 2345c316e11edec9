import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { confirm, Refusal, runCommand } from "./cli.ts";
import { composeUrl } from "./env.ts";
import { dbFolder } from "./paths.ts";

const usage = `bun db:start | db:watch | db:stop | db:down [--yes]

A Postgres 17 in Docker (db/docker-compose.yml), for those who want one: without DATABASE_URL, bun dev has an embedded one.
  db:start  starts it and waits until it answers; DB_PORT is its port (default 5432)
  db:watch  shows its log
  db:stop   stops it; the data stays
  db:down   removes it with its data, after a question (--yes asks nothing)`;

const commands: Record<string, string[]> = {
  start: ["up", "--detach", "--wait"],
  watch: ["logs", "--follow", "postgres"],
  stop: ["stop"],
  down: ["down", "--volumes"],
};

/** @throws Refusal unless Docker is there, with compose, and runs. */
function needDocker(): void {
  const probes = [
    ["compose", "version"],
    ["info", "--format", "{{.ServerVersion}}"],
  ];
  const works = probes.every((args) => spawnSync("docker", args, { stdio: "ignore" }).status === 0);
  if (!works) {
    throw new Refusal(
      "Docker with compose is not running here, and isn't needed: bun dev brings an embedded Postgres.",
    );
  }
}

async function compose(name: string, isSure: boolean): Promise<void> {
  const args = commands[name];
  if (!args) throw new Refusal(`"${name}" is none of ${Object.keys(commands).join(", ")} (--help shows them).`);
  needDocker();
  if (name === "down" && !isSure) await confirm("Remove the container fairlead-postgres and all its data?");
  const file = join(dbFolder, "docker-compose.yml");
  const child = spawn("docker", ["compose", "--file", file, ...args], { stdio: "inherit" });
  const [code] = await once(child, "exit");
  if (code !== 0) process.exitCode = 1;
  else if (name === "start") console.log(`ready; put it into .env.local:\nDATABASE_URL=${composeUrl()}`);
}

await runCommand({
  usage,
  options: { yes: { type: "boolean", default: false } },
  maxArguments: 1,
  run: ({ yes }, [name = ""]) => compose(name, yes),
});
