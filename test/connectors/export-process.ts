/** A process of its own that exports one workbook, for a test to bound its memory: `node export-process.ts DIRECTORY FILE TARGET`. */
import { createXlsxConnector } from '../../connectors/xlsx/xlsx-connector.ts';

const [directory = '', file = '', target = ''] = process.argv.slice(2);

const [extracted] = await createXlsxConnector({ directory }).export({
  mode: 'complete',
  sources: [{ name: file, options: { file } }],
  kept: [],
  directory: target,
  onProgress: () => {},
  signal: new AbortController().signal,
});
const mebibytes = Math.round(process.resourceUsage().maxRSS / 1024);
process.stdout.write(JSON.stringify({ rows: extracted?.rows, bytes: extracted?.bytes, mebibytes }));
