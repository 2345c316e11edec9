/** Whether this build carries the local tools; a constant that wrangler.toml defines, so that others drop their code. */
declare const DEV_TOOLS: boolean;
