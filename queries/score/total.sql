-- grain: one row per unit
-- rule: Σ weight × published line score ÷ Σ weight of the scored lines, rounded
--   once to two places; with all lines scored the divisor is the weight of the
--   lines that exist at the level (100 for communities). A line that is not
--   reported leaves the total provisional. Coverage is rounded half up like its
--   bound, so that exactly two thirds are enough for a place
-- build: month
with info as (
    select
        info.rounding,
        info.min_coverage
    from core.month_info as info
    where info.month = $month
),

vetoed as (
    select
        count.level,
        count.grid_id,
        min(count.cap) as cap
    from score.count as count
    where count.month = $month
        and count.rule = 'veto'
        and count.veto_scope = 'total'
    group by count.level, count.grid_id
),

summed as (
    select
        unit.level,
        unit.grid_id,
        sum(line.weight * (line.score * 100)::hugeint) filter (line.state = 'scored') as weighted,
        coalesce(sum(line.weight) filter (line.state = 'scored'), 0)::bigint as weight_scored,
        coalesce(sum(line.weight), 0)::bigint as weight_existing,
        coalesce(sum(line.bonus) filter (line.state = 'scored'), 0)::bigint as bonus,
        coalesce(sum(line.deduction) filter (line.state = 'scored'), 0)::bigint as deduction,
        count(*) filter (line.state = 'not_reported') as missing
    from core.month_unit as unit
    left join score.line as line
        on unit.grid_id = line.grid_id
        and unit.level = line.level
        and line.month = $month
    where unit.month = $month
        and unit.level between 2 and 4
    group by unit.level, unit.grid_id
),

rounded as (
    select
        summed.*,
        vetoed.cap,
        case
            when info.rounding = 'half_even'
                and 2 * (summed.weighted % summed.weight_scored) = summed.weight_scored
                and summed.weighted // summed.weight_scored % 2 = 0
                then summed.weighted // summed.weight_scored
            else (2 * summed.weighted + summed.weight_scored)
                // nullif(2 * summed.weight_scored, 0)
        end as cents,
        (2 * summed.weight_scored::hugeint * 1000000 + summed.weight_existing)
        // nullif(2 * summed.weight_existing, 0) as coverage,
        info.min_coverage
    from summed
    cross join info
    left join vetoed
        on summed.level = vetoed.level
        and summed.grid_id = vetoed.grid_id
)

select
    $month as month,
    rounded.level,
    rounded.grid_id,
    case
        when rounded.weight_scored > 0
            then least(
                rounded.cents, coalesce(rounded.cap // 10000, rounded.cents)
            )::decimal(9, 0) * 0.01::decimal(3, 2)
    end::decimal(7, 2) as total,
    ((rounded.bonus + 5000) // 10000)::decimal(7, 0) * 0.01::decimal(3, 2) as bonus,
    ((rounded.deduction + 5000) // 10000)::decimal(7, 0) * 0.01::decimal(3, 2) as deduction,
    rounded.cap,
    rounded.weight_scored,
    rounded.weight_existing,
    coalesce(rounded.coverage, 0)::bigint as coverage,
    rounded.missing > 0 as is_provisional,
    case
        when rounded.weight_scored = 0 then 'no_data'
        when rounded.coverage < rounded.min_coverage then 'low_coverage'
    end as reason
from rounded
order by rounded.level, rounded.grid_id
