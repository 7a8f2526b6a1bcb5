/** @file Python's literals as the header of a `.npy` has them; expressions are no literals and nothing is evaluated. */

/** None, truth values, numbers, texts, tuples and lists, dicts. */
export type Literal =
  | null
  | boolean
  | number
  | string
  | Literal[]
  | Map<string, Literal>;

const MAX_DEPTH = 8;
const TOKEN =
  /\s*(?:([()[\]{}:,])|(True|False|None)\b|(-?\d+)L?(?![\w.])|'([^'\\\n]*)'|"([^"\\\n]*)")/y;

/** Interprets a literal; undefined when the text is none. */
export function parseLiteral(text: string): Literal | undefined {
  const tokens = tokenize(text);
  if (!tokens) return undefined;
  const reader = new LiteralReader(tokens);
  const value = reader.value(0);
  return reader.atEnd ? value : undefined;
}

type Token = { readonly mark: string } | { readonly value: Literal };

function tokenize(text: string): Token[] | undefined {
  const tokens: Token[] = [];
  const body = text.trimEnd();
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < body.length) {
    const match = TOKEN.exec(body);
    if (!match) return undefined;
    const [, mark, word, number, single, double] = match;
    const words: Record<string, Literal> = {
      True: true,
      False: false,
      None: null,
    };
    tokens.push(
      mark !== undefined
        ? { mark }
        : word !== undefined
        ? { value: words[word] }
        : number !== undefined
        ? { value: Number(number) }
        : { value: single ?? double },
    );
  }
  return tokens;
}

class LiteralReader {
  readonly #tokens: readonly Token[];
  #next = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  get atEnd(): boolean {
    return this.#next === this.#tokens.length;
  }

  value(depth: number): Literal | undefined {
    const token = this.#tokens[this.#next++];
    if (!token || depth > MAX_DEPTH) return undefined;
    if ("value" in token) return token.value;
    if (token.mark === "(") return this.#list(")", depth);
    if (token.mark === "[") return this.#list("]", depth);
    if (token.mark === "{") return this.#dict(depth);
    return undefined;
  }

  #list(close: string, depth: number): Literal[] | undefined {
    const items: Literal[] = [];
    while (!this.#take(close)) {
      const item = this.value(depth + 1);
      if (item === undefined) return undefined;
      items.push(item);
      if (!this.#take(",") && !this.#sees(close)) return undefined;
    }
    return items;
  }

  #dict(depth: number): Map<string, Literal> | undefined {
    const dict = new Map<string, Literal>();
    while (!this.#take("}")) {
      const key = this.value(depth + 1);
      const value = this.#take(":") ? this.value(depth + 1) : undefined;
      if (typeof key !== "string" || value === undefined) return undefined;
      dict.set(key, value);
      if (!this.#take(",") && !this.#sees("}")) return undefined;
    }
    return dict;
  }

  #sees(mark: string): boolean {
    const token = this.#tokens[this.#next];
    return token !== undefined && "mark" in token && token.mark === mark;
  }

  #take(mark: string): boolean {
    const seen = this.#sees(mark);
    if (seen) this.#next++;
    return seen;
  }
}
