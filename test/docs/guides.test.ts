/** Every page for learning and doing: what it tells its reader to type is typed here. */
import { pagePaths } from './page-files.ts';
import { runPage } from './run-page.ts';

for (const path of pagePaths()) {
  if (path.startsWith('docs/tutorials/') || path.startsWith('docs/how-to/')) runPage(path);
}
