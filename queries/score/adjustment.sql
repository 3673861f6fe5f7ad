-- grain: one row per unit and line that something is taken from, added to or
--   capped
-- rule: line deductions; the bonus of events and of completions above 100 %,
--   together at most 5; the lowest cap that a veto puts on the line
-- build: month
with counted as (
    select
        count.level,
        count.grid_id,
        count.line,
        case when count.rule = 'line_deduct' then count.taken else 0 end as deduction,
        case when count.rule = 'bonus' then count.taken else 0 end as bonus,
        case
            when count.rule = 'veto' and count.veto_scope = 'line' then count.cap
        end as cap
    from score.count as count
    where count.month = $month
    union all
    select
        rate.level,
        rate.grid_id,
        rate.line,
        0,
        rate.bonus,
        null
    from score.points_rate as rate
    where rate.month = $month
        and rate.bonus > 0
)

select
    $month as month,
    counted.level,
    counted.grid_id,
    counted.line,
    sum(counted.deduction)::bigint as deduction,
    least(sum(counted.bonus), 5000000)::bigint as bonus,
    min(counted.cap)::bigint as cap
from counted
group by counted.level, counted.grid_id, counted.line
order by counted.level, counted.grid_id, counted.line
