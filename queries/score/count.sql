-- grain: one row per unit and rubric row that counts events
-- rule: deduct, line_deduct, bonus: Σ k × count by severity, each severity and
--   the row up to its cap; veto: the lowest cap that an event of its level gives
-- build: month
with rule as (
    select rule.*
    from score.rule as rule
    where rule.month = $month
        and rule.rule in ('deduct', 'line_deduct', 'bonus', 'veto')
),

counted as (
    select
        measure.indicator,
        measure.level,
        measure.grid_id,
        coalesce(measure.part, '') as part,
        sum(measure.numerator)::hugeint as count
    from score.measure as measure
    where measure.month = $month
    group by
        measure.indicator, measure.level, measure.grid_id,
        coalesce(measure.part, '')
),

weighed as (
    select
        rule.indicator,
        rule.line,
        rule.level,
        counted.grid_id,
        rule.rule,
        rule.cap,
        rule.veto_scope,
        counted.count,
        least(
            step.points * counted.count,
            coalesce(step.cap, step.points * counted.count)
        ) as taken,
        case
            when counted.count > 0 and rule.level = rule.veto_level
                then step.points
        end as veto
    from rule
    inner join counted
        on rule.indicator = counted.indicator
        and rule.level = counted.level
    inner join seed.rubric_step as step
        on rule.indicator = step.indicator
        and rule.valid_from = step.valid_from
        and coalesce(step.part, '') in ('', counted.part)
)

select
    $month as month,
    weighed.indicator,
    weighed.line,
    weighed.level,
    weighed.grid_id,
    weighed.rule,
    weighed.veto_scope,
    sum(weighed.count)::bigint as count,
    case weighed.rule
        when 'veto' then 0
        else least(
            sum(weighed.taken), coalesce(weighed.cap, sum(weighed.taken))
        )
    end::bigint as taken,
    min(weighed.veto)::bigint as cap
from weighed
group by
    weighed.indicator, weighed.line, weighed.level, weighed.grid_id,
    weighed.rule, weighed.veto_scope, weighed.cap
