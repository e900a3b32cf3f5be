import type { Release } from '../model/release.ts';
import { evaluateFilters, type FilterEvaluation } from './evaluate-filters.ts';
import { evaluateSections, type SectionEvaluation } from './evaluate-sections.ts';
import type { Evaluation, EvaluationOptions } from './evaluation.ts';
import { type Judgement, judgeFilters, judgeSections } from './judge.ts';
import { listFilters } from './listing-filters.ts';
import { listSections } from './listing-sections.ts';
import type { DovecotTree } from './load.ts';
import type { DovecotFault, DovecotWarning } from './outcome.ts';
import { hasDovecotFeature } from './releases.ts';

/** A configuration in the language of its release. */
export type Evaluated =
  | { readonly language: 'sections'; readonly evaluation: SectionEvaluation }
  | { readonly language: 'filters'; readonly evaluation: FilterEvaluation };

/** Reads a configuration in the language of a release. */
export function evaluate(
  tree: DovecotTree,
  release: Release,
  options: EvaluationOptions & { readonly prefixesInFilters?: boolean },
): Evaluated {
  const start = { source: tree.main.source, span: { start: 0, end: 0 } };
  if (hasDovecotFeature(release, 'namedFilters')) {
    const evaluation = evaluateFilters(tree, release, options);
    const judge = (): Judgement => judgeFilters(evaluation, release, start, options.expand);
    return { language: 'filters', evaluation: judged(evaluation, judge) };
  }
  const evaluation = evaluateSections(tree, release, options);
  const judge = (): Judgement => judgeSections(evaluation, release, start);
  return { language: 'sections', evaluation: judged(evaluation, judge) };
}

/**
 * What is wrong with single lines comes first: the server does not check what it could not read. Settings are held
 * against each other when somebody asks what is wrong.
 */
function judged<T extends Evaluation>(evaluation: T, judge: () => Judgement): T {
  let known: Judgement | null = null;
  const judgement = (): Judgement => {
    if (known !== null) return known;
    const { faults, warnings } = judge();
    const [storage] = evaluation.faults.filter(({ code }) => code === 'storage-version-missing');
    const read = evaluation.faults.filter((fault) => fault !== storage);
    known = {
      faults: [...read, ...faults, ...(storage === undefined ? [] : [storage])],
      warnings: [...evaluation.warnings, ...warnings],
    };
    return known;
  };
  return {
    ...evaluation,
    get faults() {
      return judgement().faults;
    },
    get warnings() {
      return judgement().warnings;
    },
  };
}

/** What doveconf says of a configuration. */
export interface DoveconfAnswer {
  /** The listing without the lines that begin with `#`; secrets are in it. It counts only where there is no fault. */
  readonly lines: readonly string[];
  /** The first of them is what doveconf dies of. */
  readonly faults: readonly DovecotFault[];
  readonly warnings: readonly DovecotWarning[];
}

/** What `doveconf -n -P` answers, or with `expand` `doveconf -n -P -x`. */
export function doveconf(tree: DovecotTree, release: Release, options: EvaluationOptions): DoveconfAnswer {
  const evaluated = evaluate(tree, release, { ...options, prefixesInFilters: true });
  const lines =
    evaluated.language === 'sections'
      ? listSections(evaluated.evaluation)
      : listFilters(evaluated.evaluation);
  const { faults, warnings } = evaluated.evaluation;
  return { lines: lines.flatMap((line) => line.split('\n')), faults, warnings };
}
