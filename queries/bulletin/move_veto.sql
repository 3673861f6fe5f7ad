-- grain: one row per unit with a veto on its total in one of the two months
-- rule: change of what the veto took, in 10⁻⁶ of the total: its cap below the
--   weighted mean of the lines, put to the row with the lowest cap
-- build: month
select
    $month as month,
    total.level,
    total.grid_id,
    count.indicator,
    sum(
        case when total.month = $month then 1 else -1 end
        * least(total.cap - line.mean, 0)
    )::bigint as amount
from score.total as total
inner join (
    select
        month,
        level,
        grid_id,
        sum(weight * (score * 1000000)::hugeint) // sum(weight) as mean
    from score.line
    where state = 'scored' and month in ($month, $month - interval 1 month)
    group by all
) as line using (month, level, grid_id)
inner join (
    select
        month,
        level,
        grid_id,
        arg_min(indicator, (cap, indicator)) as indicator
    from score.count
    where rule = 'veto'
        and veto_scope = 'total'
        and cap is not null and month in ($month, $month - interval 1 month)
    group by all
) as count using (month, level, grid_id)
where total.month in ($month, $month - interval 1 month)
    and total.cap is not null
group by total.level, total.grid_id, count.indicator
order by total.level, total.grid_id, count.indicator
