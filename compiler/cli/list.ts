/** The passes by name: what --print shows, what --no-pass leaves out. */
import { closest } from '../diagnostics/suggest.ts';
import { meanings, passNames, switchable } from '../index.ts';
import { UsageError } from './options.ts';

/** What `--print` takes beside the passes. */
const schedule = {
  name: 'schedule',
  meaning: 'the loops: what each step runs, over which buffers, and its work',
};

/** The answer to `--print list`. */
export function passList(): string {
  const passes = passNames.filter((name) => switchable.includes(name));
  const printed = passNames.filter((name) => !switchable.includes(name));
  const choices = switchable.filter((name) => !passNames.includes(name));
  const row = (name: string, meaning: string): string => `  ${name.padEnd(15)}${meaning}`;
  const rows = (names: readonly string[]): string[] => names.map((name) => row(name, meanings[name] ?? ''));
  return [
    'Passes: --print NAME shows the program after one, --no-pass NAME leaves it out.',
    ...rows(passes),
    '',
    'Steps that are always taken: --print NAME shows what they make.',
    ...rows(printed),
    row(schedule.name, schedule.meaning),
    '',
    'Choices of the schedule: --no-pass NAME leaves one out.',
    ...rows(choices),
    '',
  ].join('\n');
}

/** @throws UsageError where `--no-pass` names nothing that can be left out */
export function checkLeftOut(names: readonly string[]): void {
  for (const name of names) {
    if (switchable.includes(name)) continue;
    if (passNames.includes(name)) throw new UsageError(`the step '${name}' cannot be left out`);
    throw new UsageError(
      `there is no pass '${name}' to leave out${nearest(name, switchable)}; those there are: ${switchable.join(', ')}`,
    );
  }
}

/** @throws UsageError where `--print` names nothing that can be shown */
export function checkPrinted(name: string): void {
  const shown = [...passNames, schedule.name, 'list'];
  if (shown.includes(name)) return;
  const leftOut = switchable.includes(name)
    ? ', it is a choice of the schedule: print that'
    : nearest(name, shown);
  throw new UsageError(`there is no pass '${name}' to print${leftOut}; those there are: ${shown.join(', ')}`);
}

function nearest(name: string, among: readonly string[]): string {
  const found = closest(name, among);
  return found === undefined ? '' : ` (did you mean '${found}'?)`;
}
