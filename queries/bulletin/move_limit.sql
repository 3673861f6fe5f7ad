-- grain: one row per unit, line and indicator, of lines scored in both months;
--   indicator '' for the limits of a line
-- rule: change of what the limits of a line took from it, in 10⁻⁶ of its
--   points: not below 0, bonus at most 5, at most 105; and the cap of a veto,
--   put to the row with the lowest cap
-- build: month
with bonus as (
    select
        given.month,
        given.level,
        given.grid_id,
        given.line,
        sum(given.bonus) as bonus
    from (
        select month, level, grid_id, line, taken as bonus
        from score.count
        where rule = 'bonus'
        union all
        select month, level, grid_id, line, bonus
        from score.points_rate
    ) as given
    where given.month in ($month, $month - interval 1 month)
    group by given.month, given.level, given.grid_id, given.line
),

worth as (
    select
        points.month,
        points.level,
        points.grid_id,
        points.line,
        sum(points.full_points)::hugeint as worth
    from score.points as points
    where points.month in ($month, $month - interval 1 month)
        and points.points is not null
    group by points.month, points.level, points.grid_id, points.line
),

veto as (
    select
        count.month,
        count.level,
        count.grid_id,
        count.line,
        arg_min(count.indicator, (count.cap, count.indicator)) as indicator
    from score.count as count
    where count.month in ($month, $month - interval 1 month)
        and count.rule = 'veto'
        and count.veto_scope = 'line'
        and count.cap is not null
    group by count.month, count.level, count.grid_id, count.line
),

free as (
    select
        line.*,
        coalesce(bonus.bonus, 0) as raw_bonus,
        (2 * line.row_points::hugeint * 100000000 + worth.worth) // (2 * worth.worth) as base,
        veto.indicator
    from score.line as line
    inner join worth using (month, level, grid_id, line)
    left join bonus using (month, level, grid_id, line)
    left join veto using (month, level, grid_id, line)
    semi join bulletin.move_line as twice
        on line.level = twice.level
        and line.grid_id = twice.grid_id
        and line.line = twice.line
        and twice.month = $month
        and twice.is_scored_twice
    where line.month in ($month, $month - interval 1 month)
),

limited as (
    select
        free.*,
        least(greatest(free.base - free.deduction, 0) + free.bonus, 105000000) as points
    from free
)

select
    $month as month,
    limited.level,
    limited.grid_id,
    limited.line,
    part.indicator,
    sum(
        case when limited.month = $month then part.amount else -part.amount end
    )::bigint as amount
from limited
cross join lateral (
    values
        ('', limited.points - (limited.base - limited.deduction + limited.raw_bonus)),
        (limited.indicator, least(limited.cap - limited.points, 0))
) as part(indicator, amount)
where part.amount <> 0
group by limited.level, limited.grid_id, limited.line, part.indicator
order by limited.level, limited.grid_id, limited.line, part.indicator
