/** Reads a part of a workbook as a stream of XML elements, in bounded memory and without anything that XML can be abused for. */
import { TextDecoder } from 'node:util';
import { SaxesParser, type SaxesTagNS } from 'saxes';
import { LockstepError } from '../../engine/errors.ts';
import { unreadable } from './workbook-fault.ts';
import type { WorkbookPackage } from './workbook-package.ts';

/** Elements of other namespaces are passed over with all that is in them. */
export interface ElementHandler {
  /** `path` are the names of the elements that are open, outermost first, the new one last. */
  open?(path: readonly string[], attribute: AttributeOf): void;
  /** `text` is all of an element's own text. Elements in between are closed before. */
  close?(path: readonly string[], text: string): void;
  /** Called between chunks: what the elements brought can be written now. */
  pause?(): Promise<void>;
}

/** An attribute without a prefix by its name; `r:id` is the relationship's, whatever its prefix. */
export type AttributeOf = (name: string) => string | undefined;

const deepest = 32;
/** No tag, text or comment of a workbook is longer, in characters. */
const longestToken = 4 * 1024 * 1024;

/** Both editions of Office Open XML, transitional and strict, and the relationships between parts. */
const namespaces = new Set([
  'http://schemas.openxmlformats.org/spreadsheetml/2006/main',
  'http://purl.oclc.org/ooxml/spreadsheetml/main',
  'http://schemas.openxmlformats.org/package/2006/relationships',
]);

/**
 * Reads a part through.
 *
 * @param onBytes told how many inflated bytes were read
 * @throws LockstepError `SourceUnreadable`, naming the part: it is not well-formed, it has a document type (which no part
 * of a workbook has, and which could make entities grow without end), or it is built to exhaust memory.
 */
export async function readXml(
  workbook: WorkbookPackage,
  part: string,
  handler: ElementHandler,
  onBytes: (bytes: number) => void = () => {},
): Promise<void> {
  const fault = (what: string, cause?: unknown) =>
    unreadable(workbook.source, `has a part ${part} that ${what}`, undefined, cause);
  const reader = new XmlReader(handler, fault);
  let decoder: TextDecoder | undefined;
  const decode = (chunk: Uint8Array | undefined) => {
    try {
      decoder ??= new TextDecoder(encodingOf(chunk), { fatal: true });
      return decoder.decode(chunk, { stream: chunk !== undefined });
    } catch (cause) {
      throw fault('holds bytes that mean nothing in its encoding', cause);
    }
  };
  for await (const chunk of workbook.chunks(part)) {
    reader.push(decode(chunk));
    await handler.pause?.();
    onBytes(chunk.length);
  }
  reader.end(decode(undefined));
  await handler.pause?.();
}

function encodingOf(start: Uint8Array | undefined): string {
  if (start?.[0] === 0xff && start[1] === 0xfe) return 'utf-16le';
  if (start?.[0] === 0xfe && start[1] === 0xff) return 'utf-16be';
  return 'utf-8';
}

type Fault = (what: string, cause?: unknown) => LockstepError;

class XmlReader {
  readonly #parser = new SaxesParser({
    xmlns: true,
    position: false,
    // XML 1.1 would let control characters in, among them the one that marks error cells.
    defaultXMLVersion: '1.0',
    forceXMLVersion: true,
  });
  readonly #handler: ElementHandler;
  readonly #fault: Fault;
  readonly #path: string[] = [];
  readonly #texts: string[] = [];
  /** How many elements are open of another namespace, or within one of it. */
  #foreign = 0;
  /** Characters since anything was recognised. */
  #silent = 0;

  constructor(handler: ElementHandler, fault: Fault) {
    this.#handler = handler;
    this.#fault = fault;
    const parser = this.#parser;
    parser.on('xmldecl', ({ encoding }) => {
      if (encoding !== undefined && !/^(utf-?(8|16(le|be)?)|us-ascii)$/i.test(encoding)) {
        throw fault(`says to be in another encoding than UTF-8 or UTF-16`);
      }
    });
    parser.on('doctype', () => {
      throw fault('has a document type, which no workbook has');
    });
    parser.on('error', (cause) => {
      throw fault('is not well-formed XML', cause);
    });
    parser.on('opentag', (tag) => this.#open(tag));
    parser.on('closetag', () => this.#close());
    parser.on('text', (text) => this.#text(text));
    parser.on('cdata', (text) => this.#text(text));
  }

  push(text: string): void {
    this.#silent += text.length;
    if (this.#silent > longestToken) throw this.#fault('has a tag or text without end');
    this.#guarded(() => this.#parser.write(text));
  }

  end(text: string): void {
    this.#guarded(() => this.#parser.write(text).close());
  }

  #guarded(parse: () => void): void {
    try {
      parse();
    } catch (error) {
      // The parser's own errors quote the document.
      throw error instanceof LockstepError ? error : this.#fault('is not well-formed XML', error);
    }
  }

  #open(tag: SaxesTagNS): void {
    this.#silent = 0;
    if (this.#path.length + this.#foreign >= deepest) throw this.#fault('is nested without end');
    if (this.#foreign > 0 || !namespaces.has(tag.uri)) {
      this.#foreign += 1;
      return;
    }
    this.#path.push(tag.local);
    this.#texts.push('');
    this.#handler.open?.(this.#path, (name) => attributeOf(tag, name));
  }

  #close(): void {
    this.#silent = 0;
    if (this.#foreign > 0) {
      this.#foreign -= 1;
      return;
    }
    const text = this.#texts.pop() as string;
    this.#handler.close?.(this.#path, text);
    this.#path.pop();
  }

  #text(text: string): void {
    this.#silent = 0;
    if (this.#foreign > 0 || this.#texts.length === 0) return;
    const last = this.#texts.length - 1;
    const whole = (this.#texts[last] as string) + text;
    if (whole.length > longestToken) throw this.#fault('has a text without end');
    this.#texts[last] = whole;
  }
}

function attributeOf({ attributes }: SaxesTagNS, name: string): string | undefined {
  if (name !== 'r:id') return attributes[name]?.value;
  return Object.values(attributes).find(
    ({ local, uri }) => local === 'id' && uri.endsWith('/relationships'),
  )?.value;
}
