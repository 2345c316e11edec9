import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

/** The worker as it is uploaded must stay below this, compressed: start-up time grows with it. */
const limitKilobytes = 500;

/** Text of local tools, which `define` in wrangler.toml keeps out of what is deployed. */
const localOnly = "/dev/mail";

const root = join(import.meta.dirname, "..");
const wrangler = join(root, "node_modules/wrangler/bin/wrangler.js");
const folder = mkdtempSync(join(tmpdir(), "fairlead-bundle-"));

function kilobytes(bytes: number): string {
  return `${(bytes / 1000).toFixed(1)} KB`;
}

try {
  const args = [wrangler, "deploy", "--dry-run", "--minify", "--env", "production", "--outdir", folder];
  const built = spawnSync(process.execPath, args, { cwd: root, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
  if (built.status !== 0) throw new Error(`wrangler could not build the worker:\n${built.stdout}${built.stderr}`);
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter(
    (name) => !/\.map$|README\.md$/.test(name),
  );
  const contents = files
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isFile())
    .map((path) => readFileSync(path));
  const size = contents.reduce((sum, content) => sum + content.byteLength, 0);
  const compressed = contents.reduce((sum, content) => sum + gzipSync(content, { level: 9 }).byteLength, 0);
  console.log(
    `bundle: ${kilobytes(compressed)} gzipped, ${kilobytes(size)} as it is; the limit is ${limitKilobytes} KB gzipped`,
  );
  if (compressed > limitKilobytes * 1000) {
    console.error(
      "bundle: over the limit; see what weighs with: wrangler deploy --dry-run --metafile --env production",
    );
    process.exitCode = 1;
  }
  if (contents.some((content) => content.includes(localOnly))) {
    console.error(`bundle: ${localOnly} is in the worker for production; see DEV_TOOLS in wrangler.toml`);
    process.exitCode = 1;
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
