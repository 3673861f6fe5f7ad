-- grain: one row per unit and indicator that has parts and was measured in both
--   months
-- rule: volume: what the points would be with each part's rate of last month
--   and its cases of this month, minus last month's points; a part without cases
--   before counts at its rate of this month
-- build: month
with part as (
    select
        measure.level,
        measure.grid_id,
        measure.indicator,
        coalesce(measure.part, '') as part,
        coalesce(sum(measure.numerator) filter (measure.month = $month), 0)::hugeint as now_met,
        coalesce(sum(measure.denominator) filter (measure.month = $month), 0)::hugeint as now_cases,
        coalesce(sum(measure.numerator) filter (measure.month < $month), 0)::hugeint as before_met,
        coalesce(sum(measure.denominator) filter (measure.month < $month), 0)::hugeint as before_cases
    from score.measure as measure
    where measure.month in ($month, $month - interval 1 month)
    group by
        measure.level, measure.grid_id, measure.indicator,
        coalesce(measure.part, '')
),

-- Numerators carry nine more digits, so that a part's rate keeps its value.
mixed as (
    select
        part.level,
        part.grid_id,
        part.indicator,
        sum(case
            when part.before_cases > 0
                then part.now_cases * part.before_met * 1000000000 // part.before_cases
            else part.now_met * 1000000000
        end) as met,
        sum(part.now_cases) * 1000000000 as cases
    from part
    group by part.level, part.grid_id, part.indicator
    having count(*) > 1
        and sum(part.now_cases) > 0
),

measured as (
    select
        points.level,
        points.grid_id,
        points.indicator,
        max(points.points) filter (points.month < $month) as points_before
    from score.points as points
    where points.month in ($month, $month - interval 1 month)
        and points.state = 'measured'
    group by points.level, points.grid_id, points.indicator
    having count(*) = 2
),

scored as (
    select
        mixed.level,
        mixed.grid_id,
        mixed.indicator,
        measured.points_before,
        rule.points::hugeint as full_points,
        case rule.rule
            when 'inverse'
                then (2 * rule.points * (mixed.cases - mixed.met) + mixed.cases)
                    // (2 * mixed.cases)
            when 'target'
                then rule.points - (
                    2 * rule.k * greatest(rule.target * mixed.cases - mixed.met * 1000000, 0)
                    + mixed.cases * 10000
                ) // (2 * mixed.cases * 10000)
            else (2 * rule.points * mixed.met + mixed.cases) // (2 * mixed.cases)
        end as points
    from mixed
    inner join measured
        on mixed.level = measured.level
        and mixed.grid_id = measured.grid_id
        and mixed.indicator = measured.indicator
    inner join score.rule as rule
        on mixed.indicator = rule.indicator
        and mixed.level = rule.level
        and rule.month = $month
        and rule.rule in ('ratio', 'inverse', 'completion', 'target')
)

select
    $month as month,
    scored.level,
    scored.grid_id,
    scored.indicator,
    (
        least(greatest(scored.points, 0), scored.full_points)
        - scored.points_before
    )::bigint as volume
from scored
order by scored.level, scored.grid_id, scored.indicator
