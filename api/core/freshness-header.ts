/** Header of requests and answers that takes a writer past the cache: `<unix ms>.<hmac>`. */
export const freshHeader = "x-fresh-until";
