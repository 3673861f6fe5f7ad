-- grain: one row per indicator, level, unit, part and day
-- rule: roll-ups pool records: sums of numerators over sums of denominators of
--   all grids below, never a mean of rates
-- build: month
select
    $month as month,
    value.indicator,
    rule.level,
    tree.ancestor_id as grid_id,
    value.part,
    value.day,
    sum(value.numerator)::bigint as numerator,
    sum(value.denominator)::bigint as denominator
from indicator.value as value
inner join core.month_tree as tree
    on value.grid_id = tree.grid_id
    and tree.month = $month
inner join score.rule as rule
    on value.indicator = rule.indicator
    and tree.level = rule.level
    and rule.month = $month
where value.month = $month
group by
    value.indicator, rule.level, tree.ancestor_id, value.part, value.day
