import { statfs } from "node:fs/promises";
import { cpus, freemem, loadavg, totalmem } from "node:os";
import type { Sandbox } from "../sandbox/sandbox";
import { type ToolResult, toolSuccess } from "./tool-result";

/** `get_metrics`: the whole computer's, as a JSON string, in bytes and percent. The network is not measured. */
export async function getMetrics(sandbox: Sandbox): Promise<ToolResult> {
  const disk = await statfs(sandbox.root);
  const cpuCount = cpus().length;
  return toolSuccess(
    JSON.stringify({
      cpu_count: cpuCount,
      cpu_used_pct: Math.min(100, Math.round(((loadavg()[0] ?? 0) / cpuCount) * 10_000) / 100),
      mem_total: totalmem(),
      mem_used: totalmem() - freemem(),
      disk_total: disk.blocks * disk.bsize,
      disk_used: (disk.blocks - disk.bfree) * disk.bsize,
      rx_rate_kbyte_per_s: 0,
      tx_rate_kbyte_per_s: 0,
      rx_used_kbyte: 0,
      tx_used_kbyte: 0,
      timestamp: new Date().toISOString(),
    }),
  );
}
