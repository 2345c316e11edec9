import { type IncomingMessage, Server, type ServerResponse } from "node:http";
import { Server as SecureServer } from "node:https";

/** The page that Drizzle Studio's server is there for. */
const studioPage = "https://local.drizzle.studio";

// Loaded into Drizzle Studio's server, which runs whatever SQL it is sent and lets every web page send some: a page that
// is open in another tab would reach the database as its owner. Browsers say which page asks; tools say nothing.
for (const { prototype } of [Server, SecureServer]) {
  const emit = prototype.emit;
  prototype.emit = function (this: Server, event: string | symbol, ...args: unknown[]): boolean {
    if (event === "request") {
      const [request, response] = args as [IncomingMessage, ServerResponse];
      const { origin = studioPage } = request.headers;
      if (origin !== studioPage) {
        response.writeHead(403).end(`Only ${studioPage} may ask.\n`);
        return true;
      }
    }
    return Reflect.apply(emit, this, [event, ...args]);
  };
}
