/** Lint of the client code: scripts that the browser runs one after another, and their tests under Node. */
import js from "@eslint/js";
import globals from "globals";

const RULES = {
  "no-unused-vars": ["error", { argsIgnorePattern: "^_", varsIgnorePattern: "^_" }],
  "no-shadow": "error",
  "no-use-before-define": ["error", { functions: false, classes: true, variables: false }],
  "no-var": "error",
  "prefer-const": "error",
  "object-shorthand": "error",
  "prefer-template": "error",
  "no-param-reassign": "off",
  "no-implicit-globals": "error",
  "no-eval": "error",
  "no-implied-eval": "error",
  "no-new-func": "error",
  "no-console": "error",
  "no-else-return": "error",
  "no-return-assign": ["error", "except-parens"],
  "no-self-compare": "error",
  "no-unreachable-loop": "error",
  "no-promise-executor-return": "off",
  "no-useless-assignment": "error",
  "array-callback-return": "error",
  "default-case-last": "error",
  "dot-notation": "error",
  eqeqeq: "error",
  "logical-assignment-operators": "error",
  radix: "error",
  yoda: "error",
  complexity: ["error", 60],
  "max-depth": ["error", 4],
  "max-lines": ["error", { max: 400, skipComments: true, skipBlankLines: true }],
  "max-params": ["error", 10],
  "max-len": ["error", { code: 140, ignoreRegExpLiterals: true, ignoreStrings: true, ignoreTemplateLiterals: true }],
};

export default [
  { ignores: ["assets/vendor/**", "**/node_modules/**", ".venv/**"] },
  js.configs.recommended,
  { rules: RULES, linterOptions: { reportUnusedDisableDirectives: "error" } },
  {
    files: ["components/**/*.js", "assets/*.js"],
    // `module` and `require`: the tests under Node load the same files.
    languageOptions: { sourceType: "script", ecmaVersion: 2023, globals: { ...globals.browser, module: "readonly", require: "readonly" } },
  },
  {
    files: ["tests/node/**"],
    languageOptions: { ecmaVersion: 2024, globals: globals.node },
  },
  { files: ["tests/node/**/*.cjs"], languageOptions: { sourceType: "commonjs" } },
];
