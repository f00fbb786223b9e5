/** Bundles the workflows into the file named as its argument. */
import { writeBundle } from './workflow-bundle.ts';

const [path] = process.argv.slice(2);
if (path === undefined) throw new Error('name the file to write');
await writeBundle(path);
