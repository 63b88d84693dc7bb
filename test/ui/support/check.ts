// Property checks with a seed that is the same in every run, and is printed where one fails.

import * as fc from "fast-check";

fc.configureGlobal({ numRuns: 200, seed: 20 });

export { fc };
