/** What is wrong with a JSONata expression, as far as its text tells. */
import jsonata from 'jsonata';

/** Every problem of an expression, each the rest of a sentence; none when it is sound. */
export function problemsOfExpression(expression: string): string[] {
  const problems: string[] = [];
  try {
    jsonata(expression);
  } catch (error) {
    const { message, position } = error as { message: string; position?: number };
    const place = position === undefined ? '' : ` (at character ${position})`;
    problems.push(`is not JSONata: ${message}${place}`);
  }
  const changing = /\$(now|millis|random|shuffle)\s*\(/.exec(expression);
  if (changing) {
    problems.push(
      `$${changing[1]}() gives another value at every run, so every run would change every resource`,
    );
  }
  return problems;
}
