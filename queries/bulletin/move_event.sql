-- grain: one row per unit, indicator and cause, of lines scored in both months
-- rule: line deductions and bonuses, in 10⁻⁶ of a line's points, as counted
--   (move_limit has what limits took): events, rubric when the clause changed,
--   and rate for the bonus of what is above 100 % of a completion
-- build: month
with clause as (
    select
        rule.level,
        rule.indicator,
        count(distinct rule.valid_from) = 1 and count(*) = 2 as is_same
    from score.rule as rule
    where rule.month in ($month, $month - interval 1 month)
    group by rule.level, rule.indicator
),

taken as (
    select
        count.month,
        count.level,
        count.grid_id,
        count.line,
        count.indicator,
        'events' as cause,
        case count.rule when 'bonus' then count.taken else -count.taken end as amount
    from score.count as count
    where count.month in ($month, $month - interval 1 month)
        and count.rule in ('line_deduct', 'bonus')
    union all
    select
        rate.month,
        rate.level,
        rate.grid_id,
        rate.line,
        rate.indicator,
        'rate',
        rate.bonus
    from score.points_rate as rate
    where rate.month in ($month, $month - interval 1 month)
        and rate.bonus > 0
)

select
    $month as month,
    taken.level,
    taken.grid_id,
    taken.line,
    taken.indicator,
    case when clause.is_same then taken.cause else 'rubric' end as cause,
    sum(
        case when taken.month = $month then taken.amount else -taken.amount end
    )::bigint as amount
from taken
inner join clause
    on taken.level = clause.level
    and taken.indicator = clause.indicator
semi join bulletin.move_line as line
    on taken.level = line.level
    and taken.grid_id = line.grid_id
    and taken.line = line.line
    and line.month = $month
    and line.is_scored_twice
group by all
having sum(
    case when taken.month = $month then taken.amount else -taken.amount end
) <> 0
order by
    taken.level, taken.grid_id, taken.line, taken.indicator, cause
