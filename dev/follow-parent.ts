// Preloaded into wrangler: ends its process group once the process that started it is gone, however it went.
const parent = Number(process.env.FAIRLEAD_DEV);
const checkEveryMs = 500;

const timer = setInterval(() => {
  if (process.ppid === parent) return;
  process.kill(-process.pid, "SIGKILL");
}, checkEveryMs);
timer.unref();
