-- grain: one row per unit that was ranked, or could not be, the month before
-- rule: what this month is compared with. A change is shown only if clauses,
--   weights and units are the same, both months have a place, and the same
--   lines were scored in both
-- build: month
with scored as (
    select
        line.month,
        line.level,
        line.grid_id,
        string_agg(line.line, ' ' order by line.line) as lines
    from score.line as line
    where line.month >= $month - interval 1 month
        and line.month <= $month
        and line.state = 'scored'
    group by line.month, line.level, line.grid_id
),

last_month as (
    select
        ranking.level,
        ranking.grid_id,
        ranking.total,
        ranking.place,
        ranking.last_streak,
        scored.lines
    from ranking.total as ranking
    left join scored
        on ranking.level = scored.level
        and ranking.grid_id = scored.grid_id
        and ranking.month = scored.month
    where ranking.month < $month
        and ranking.month >= $month - interval 1 month
)

select
    $month as month,
    last_month.level,
    last_month.grid_id,
    last_month.total as last_total,
    last_month.place as last_place,
    last_month.last_streak,
    comparable.reason is null
    and last_month.place is not null
    and total.reason is null
    and coalesce(scored.lines = last_month.lines, false) as is_comparable
from last_month
inner join score.total as total
    on last_month.level = total.level
    and last_month.grid_id = total.grid_id
    and total.month = $month
inner join core.month_unit as unit
    on last_month.grid_id = unit.grid_id
    and unit.month = $month
inner join ranking.comparable as comparable
    on unit.level = comparable.level
    and unit.peer_group = comparable.peer_group
    and comparable.month = $month
left join scored
    on last_month.level = scored.level
    and last_month.grid_id = scored.grid_id
    and scored.month = $month
order by last_month.level, last_month.grid_id
