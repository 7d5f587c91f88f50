/** Writes a line that is JSON and nothing else. In Lambda `console` puts a time and a request id before it, or wraps it. */
export function writeLine(content: object): void {
  const line = JSON.stringify(content);
  if (process.env['LAMBDA_TASK_ROOT']) process.stdout.write(`${line}\n`);
  else console.log(line);
}
