/** Everything that the README tells its reader to type is typed here, and what it shows is what is printed. */
import { runPage } from './run-page.ts';

runPage('README.md');
