/** Definitions and their blocks: what stands at the top of a file. */
import type { Diagnostics } from '../diagnostics/diagnostic.ts';
import type { Source } from '../diagnostics/source.ts';
import type { BlockKind } from './blocks.ts';
import {
  definitions,
  foreignDeclarations,
  hintOf,
  meantWord,
  parseBraces,
  statementsOf,
  targetOf,
  withArticle,
} from './blocks.ts';
import { Cursor } from './cursor.ts';
import { parseAxes, parseDims, parseInput, parseParam, parseRandom, parseStates } from './declarations.ts';
import { definedName, parseBinder, parseImport, parseParameters } from './heads.ts';
import { beginsCheckpoint, takeCheckpoint } from './checkpoint.ts';
import { beginsCotangent, parseCotangent } from './cotangent.ts';
import { beginsDerivative, parseDerivative } from './derivative.ts';
import { applyLayout } from './layout.ts';
import { tokenize } from './lexer.ts';
import {
  lastValue,
  parseAssignment,
  parseLoss,
  parseMetric,
  parseOutput,
  parseRequirement,
} from './statements.ts';
import { parseTrainEntry } from './train.ts';
import type { Keyword, Token } from './tokens.ts';
import { beginsDefinition, describe, is, isStatementWord } from './tokens.ts';
import type {
  Assignment,
  FnDefinition,
  LayerDefinition,
  LayerItem,
  ModelDefinition,
  ModelItem,
  Name,
  OptimizerDefinition,
  ScanBlock,
  ScheduleDefinition,
  StateDeclaration,
  SyntaxExpression,
  SyntaxFile,
  SyntaxItem,
  TrainDeclaration,
  TrainEntry,
} from './tree.ts';

/**
 * Parses a file. Every mistake is reported in one run, one for each statement at most; a statement with a mistake
 * still declares its name, with an ErrorExpression as its value.
 */
export function parse(source: Source, diagnostics: Diagnostics): SyntaxFile {
  const cursor = new Cursor(source, applyLayout(tokenize(source, diagnostics)), diagnostics);
  return new Parser(cursor).parseFile();
}

type BlockItem = ModelItem | ReturnStatement;
interface ReturnStatement {
  readonly kind: 'return';
  readonly value: SyntaxExpression;
}

const isLayerItem = (item: BlockItem): item is LayerItem =>
  ['dim', 'require', 'param', 'state', 'random', 'scan', 'assignment', 'cotangent'].includes(item.kind);

class Parser {
  private readonly cursor: Cursor;
  private readonly items: SyntaxItem[] = [];
  /** After a block went wrong, what may have been its rest is passed over in silence until the next definition. */
  private astray = false;
  /** Blocks that were taken for unclosed: as many `}` may be left over. */
  private unclosed = 0;
  /** Inside of a definition that stands inside of another? */
  private isNested = false;

  constructor(cursor: Cursor) {
    this.cursor = cursor;
  }

  parseFile(): SyntaxFile {
    const { cursor } = this;
    for (;;) {
      cursor.skipEnds();
      if (cursor.actual.kind === 'eof') return { source: cursor.source, items: this.items };
      const before = cursor.progress;
      this.parseTop();
      if (cursor.progress === before) cursor.advance();
    }
  }

  // -------------------------------------------------------------------------------------------------- definitions

  private parseTop(): void {
    const { actual: token, next } = this.cursor;
    if (beginsDerivative(token, next)) {
      this.astray = false;
      this.items.push(parseDerivative(this.cursor));
      return;
    }
    const word = meantWord(this.cursor, definitions);
    if (word !== undefined) {
      this.astray = false;
      this.parseDefinition(word);
      return;
    }
    if (is(token, '}') && this.unclosed > 0) this.unclosed -= 1;
    else if (!this.astray && token.kind !== 'bad') this.reportStray(token);
    this.astray = true;
    if (!is(token, '{')) this.cursor.advance();
    if (!is(token, '}')) this.cursor.skipStatement();
  }

  private reportStray(token: Token): void {
    const { cursor } = this;
    if (is(token, '}')) {
      cursor.diagnostics.error('E102', cursor.spanOf(token), 'this `}` closes nothing');
      return;
    }
    const isStatement = token.kind === 'name' || isStatementWord(token);
    const message = isStatement
      ? `${describe(token)} does not begin a definition`
      : `expected a definition, found ${describe(token)}`;
    cursor.diagnostics.error('E102', cursor.spanOf(token), message, {
      hint: isStatement
        ? 'outside of a block a file has `model`, `dim`, `fn`, `layer`, `optimizer`, `schedule` and `import`'
        : 'a file is made of definitions such as `model Name { ... }`',
    });
  }

  private parseDefinition(word: Keyword): void {
    switch (word) {
      case 'import':
        return this.keep(parseImport(this.cursor));
      case 'dim':
        for (const dim of parseDims(this.cursor)) this.items.push(dim);
        return undefined;
      case 'fn':
        return this.keep(this.parseFn());
      case 'layer':
        return this.keep(this.parseLayer());
      case 'optimizer':
      case 'schedule':
        return this.keep(this.parseRule(word));
      default:
        return this.keep(this.parseModel());
    }
  }

  private keep(item: SyntaxItem | undefined): void {
    if (item !== undefined) this.items.push(item);
  }

  /** `model Digits { ... }` */
  private parseModel(): ModelDefinition {
    const { cursor } = this;
    const { start } = cursor.advance();
    const name = definedName(cursor, 'a model');
    const items: ModelItem[] = [];
    this.parseBlock('model', name, (item) => {
      if (item.kind !== 'return') items.push(item);
    });
    return { kind: 'model', name, items, span: cursor.span(start) };
  }

  /** `fn softmax[k](z) = ...`, `fn f(x) { y = ...  return ... }` */
  private parseFn(): FnDefinition {
    const { cursor } = this;
    const { start } = cursor.advance();
    const name = definedName(cursor, 'a function');
    const binder = parseBinder(cursor);
    const parameters = parseParameters(cursor, false);
    const locals: Assignment[] = [];
    if (cursor.take('=')) {
      const value = lastValue(cursor, 'an expression');
      const span = cursor.span(start, Math.max(start, value.span.end));
      return { kind: 'fn', name, ...binder, parameters, locals, value, span };
    }
    let value: SyntaxExpression | undefined;
    const hasBlock = this.parseBlock('fn', name, (item) => {
      if (item.kind === 'return') value = item.value;
      else if (item.kind === 'assignment') locals.push(item);
    });
    if (value === undefined && hasBlock) {
      cursor.diagnostics.error('E210', name.span, `\`${name.text}\` returns nothing`, {
        hint: 'the last statement of a function is `return` and an expression',
      });
    }
    const span = cursor.span(start);
    return { kind: 'fn', name, ...binder, parameters, locals, value: value ?? { kind: 'error', span }, span };
  }

  /** `layer dense(x[.., i], units) -> y[.., units] { ... }` */
  private parseLayer(): LayerDefinition {
    const { cursor } = this;
    const { start } = cursor.advance();
    const name = definedName(cursor, 'a layer');
    const parameters = parseParameters(cursor, true);
    const hint = 'a layer says what it gives: `layer dense(x[.., i], units) -> y[.., units] { ... }`';
    cursor.expect('->', 'after the parameters of a layer', hint);
    const result = cursor.expectName('the name of the result') ?? { text: 'y', span: name.span };
    if (!cursor.at('[')) cursor.expected('`[` and the sizes of the result', hint);
    const resultAxes = parseAxes(cursor, { rest: true });
    const items: LayerItem[] = [];
    this.parseBlock('layer', name, (item) => {
      if (isLayerItem(item)) items.push(item);
    });
    return { kind: 'layer', name, parameters, result, resultAxes, items, span: cursor.span(start) };
  }

  /** `optimizer sgd(rate) { ... }`, `schedule halves(rate) = ...`, `schedule s(rate) { ... }` */
  private parseRule(kind: 'optimizer' | 'schedule'): OptimizerDefinition | ScheduleDefinition {
    const { cursor } = this;
    const { start } = cursor.advance();
    const name = definedName(cursor, kind === 'optimizer' ? 'an optimizer' : 'a schedule');
    const parameters = parseParameters(cursor, false);
    const items: (StateDeclaration | Assignment)[] = [];
    if (kind === 'schedule' && cursor.take('=')) {
      const value = lastValue(cursor, 'an expression');
      const result: Name = { text: 'value', span: value.span };
      const span = cursor.span(start, Math.max(start, value.span.end));
      items.push({ kind: 'assignment', name: result, value, span: value.span });
      return { kind, name, parameters, items, span };
    }
    this.parseBlock(kind, name, (item) => {
      if (item.kind === 'state' || item.kind === 'assignment') items.push(item);
    });
    return { kind, name, parameters, items, span: cursor.span(start) };
  }

  // -------------------------------------------------------------------------------------------------------- blocks

  /** `{ statements }`; false if there is no block. The cursor may be lost in the header: the block is found all the same. */
  private parseBlock(kind: BlockKind, name: Name, accept: (item: BlockItem) => void): boolean {
    const { cursor } = this;
    if (!cursor.at('{')) cursor.expected(`\`{\`${kind === 'fn' || kind === 'schedule' ? ' or `=`' : ''}`);
    if (!cursor.skipToBrace()) {
      this.astray = true;
      return false;
    }
    cursor.primes = kind !== 'fn';
    const isClosed = parseBraces(
      cursor,
      `${kind} \`${name.text}\``,
      (token, next) => beginsDefinition(token, next) && token.first,
      () => this.parseStatement(kind, accept),
    );
    cursor.primes = false;
    if (!isClosed) {
      this.unclosed += 1;
      this.astray = true;
    }
    return true;
  }

  private parseStatement(kind: BlockKind, accept: (item: BlockItem) => void): void {
    const { cursor } = this;
    const { actual: token, next } = cursor;
    if (beginsDefinition(token, next)) {
      this.parseNestedDefinition(kind, token);
      return;
    }
    if (beginsCheckpoint(token, next)) {
      const checkpoint = takeCheckpoint(cursor, kind);
      this.parseStatement(kind, (item) =>
        accept(checkpoint && item.kind === 'assignment' ? { ...item, checkpoint } : item),
      );
      return;
    }
    if (beginsCotangent(token, next)) {
      const edit = parseCotangent(cursor, kind);
      if (edit !== undefined) accept(edit);
      return;
    }
    const word = meantWord(cursor, statementsOf[kind]);
    if (word !== undefined) {
      this.parseKeywordStatement(word, kind, accept);
    } else if (token.kind === 'name' || (isStatementWord(token) && (is(next, '=') || is(next, '[')))) {
      this.parseNameStatement(kind, accept);
    } else {
      const message = isStatementWord(token)
        ? `${describe(token)} cannot stand in ${withArticle(kind)}`
        : `expected a statement, found ${describe(token)}`;
      cursor.fail(message, { hint: hintOf(token) });
      if (!is(token, '{')) cursor.advance();
      cursor.finishStatement('a statement');
    }
  }

  /** A definition inside of a block is reported and kept, but not what is inside of it in turn. */
  private parseNestedDefinition(kind: BlockKind, token: Token): void {
    const { cursor } = this;
    const message = `${describe(token)} cannot be defined inside of ${withArticle(kind)}`;
    cursor.diagnostics.error('E102', cursor.spanOf(token), message, {
      hint: 'move it to the top of the file',
    });
    if (this.isNested) {
      cursor.advance();
      cursor.skipStatement();
      return;
    }
    const { primes } = cursor;
    cursor.primes = false;
    this.isNested = true;
    this.parseDefinition(token.text as Keyword);
    this.isNested = false;
    cursor.primes = primes;
  }

  private parseKeywordStatement(word: Keyword, kind: BlockKind, accept: (item: BlockItem) => void): void {
    const { cursor } = this;
    const keep = (item: BlockItem | undefined): void => {
      if (item !== undefined) accept(item);
    };
    switch (word) {
      case 'dim':
        return parseDims(cursor).forEach(accept);
      case 'require':
        return keep(parseRequirement(cursor));
      case 'state':
        return parseStates(cursor, targetOf(kind)).forEach(accept);
      case 'random':
        return keep(parseRandom(cursor));
      case 'input':
        return keep(parseInput(cursor));
      case 'param':
        return keep(parseParam(cursor));
      case 'output':
        return keep(parseOutput(cursor));
      case 'loss':
        return keep(parseLoss(cursor));
      case 'metric':
        return keep(parseMetric(cursor));
      case 'train':
        return keep(this.parseTrain());
      case 'scan':
        return keep(this.parseScan());
      default:
        cursor.advance();
        return keep({ kind: 'return', value: lastValue(cursor, 'an expression') });
    }
  }

  private parseNameStatement(kind: BlockKind, accept: (item: BlockItem) => void): void {
    const { cursor } = this;
    const { actual: token, next } = cursor;
    if (foreignDeclarations.has(token.text) && next.kind === 'name') {
      cursor.diagnostics.error(
        'E102',
        cursor.spanOf(token),
        `\`${token.text}\` is not part of the language`,
        {
          hint: 'a name is assigned without a keyword: `y = relu(x)`',
        },
      );
      cursor.advance();
    }
    if (token.kind === 'keyword') {
      cursor.reserved(token);
      cursor.advance();
      cursor.skipStatement();
      return;
    }
    const item = parseAssignment(cursor, targetOf(kind));
    if (item !== undefined) accept(item);
  }

  /** `scan t { h[n, t] = ... }`, `scan t reversed { ... }` */
  private parseScan(): ScanBlock | undefined {
    const { cursor } = this;
    const { start, indent } = cursor.advance();
    const hint = 'a recurrence is written `scan t { h[n, t] = f(h[n, t - 1] else 0) }`';
    const index = cursor.expectName('the index that counts the steps');
    const word = cursor.current;
    const reversed = word.kind === 'name' && word.text === 'reversed';
    if (reversed) cursor.advance();
    if (!cursor.at('{')) cursor.expected(`'{'${reversed ? '' : ' or `reversed`'}`, hint);
    const items: Assignment[] = [];
    if (cursor.skipToBrace()) {
      const { primes } = cursor;
      cursor.primes = false;
      parseBraces(
        cursor,
        '`scan`',
        (token) => token.first && token.indent <= indent,
        () =>
          this.parseStatement('scan', (item) => {
            if (item.kind === 'assignment') items.push(item);
          }),
      );
      cursor.primes = primes;
    }
    if (index === undefined) return undefined;
    return { kind: 'scan', index, reversed, items, span: cursor.span(start) };
  }

  /** `train { optimizer: adam(rate = 1e-3), batch: 64 }` */
  private parseTrain(): TrainDeclaration {
    const { cursor } = this;
    const { start, indent } = cursor.advance();
    const entries: TrainEntry[] = [];
    if (!cursor.at('{'))
      cursor.expected('`{` after `train`', 'for example `train { optimizer: adam, epochs: 10 }`');
    if (cursor.skipToBrace()) {
      parseBraces(
        cursor,
        '`train`',
        (token) => token.first && token.indent <= indent,
        () => {
          const entry = parseTrainEntry(cursor);
          if (entry !== undefined) entries.push(entry);
        },
      );
    }
    return { kind: 'train', entries, span: cursor.span(start) };
  }
}
