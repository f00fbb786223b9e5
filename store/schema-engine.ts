/** Prisma's schema engine as WebAssembly: it applies and compares migrations without a downloaded binary. */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { PrismaPg } from '@prisma/adapter-pg';
import { bindMigrationAwareSqlAdapterFactory } from '@prisma/driver-adapter-utils';
import type { SchemaEngine } from '@prisma/schema-engine-wasm/schema_engine_bg';
import pg from 'pg';

type Exports = Record<string, unknown>;

type EngineModule = typeof import('@prisma/schema-engine-wasm/schema_engine_bg') & {
  __wbg_set_wasm(exports: Exports): void;
};

/** The part of Node's WebAssembly used here; TypeScript has its types only for browsers. */
interface WebAssemblyApi {
  instantiate(
    binary: Uint8Array,
    imports: Record<string, unknown>,
  ): Promise<{ instance: { exports: Exports } }>;
}

const { WebAssembly } = globalThis as unknown as { WebAssembly: WebAssemblyApi };

/**
 * Runs a migration as one script, and so as one transaction. Prisma's adapter would cut it at every semicolon, also
 * inside a function, and run the pieces one by one.
 */
class WholeScripts extends PrismaPg {
  override async connect() {
    const adapter = await super.connect();
    adapter.executeScript = async (script) => {
      await adapter.underlyingDriver().query(script);
    };
    return adapter;
  }
}

let loading: Promise<EngineModule> | undefined;

/** Loads the engine once a process. Node runs the `.wasm` by path because its ESM import of one is experimental. */
function loadEngine(): Promise<EngineModule> {
  loading ??= (async () => {
    const bindings = (await import('@prisma/schema-engine-wasm/schema_engine_bg')) as EngineModule;
    const entry = fileURLToPath(import.meta.resolve('@prisma/schema-engine-wasm/schema_engine_bg'));
    const binary = await readFile(entry.replace(/\.js$/, '.wasm'));
    const { instance } = await WebAssembly.instantiate(binary, {
      './schema_engine_bg.js': bindings,
    });
    bindings.__wbg_set_wasm(instance.exports);
    (instance.exports['__wbindgen_start'] as () => void)();
    return bindings;
  })();
  return loading;
}

/** Opens the engine on a database for the time of `use`. */
export async function withSchemaEngine<Result>(
  databaseUrl: string,
  use: (engine: SchemaEngine) => Promise<Result>,
): Promise<Result> {
  const { SchemaEngine: Engine } = await loadEngine();
  const pool = new pg.Pool({ connectionString: databaseUrl, max: 1 });
  pool.on('error', () => {});
  const factory = bindMigrationAwareSqlAdapterFactory(new WholeScripts(pool));
  const engine = await Engine.new({ datamodels: undefined }, () => {}, factory);
  try {
    return await use(engine);
  } finally {
    engine.free();
    await pool.end();
  }
}
