/** The network that an IP address belongs to, as providers hand them out: /24, or /64. */
export function networkOf(ip: string): string {
  if (!ip.includes(":")) return ip.split(".").slice(0, 3).join(".");
  const [head = ""] = ip.split("::");
  return [...head.split(":"), "0", "0", "0", "0"].slice(0, 4).join(":");
}
