-- grain: one row per unit that was ranked, or could not be, the month before
-- rule: what this month is compared with. A change is shown only if clauses,
--   weights and units are the same, both months have a place, and the same
--   weight was scored in both
-- build: month
with last_month as (
    select
        ranking.level,
        ranking.grid_id,
        ranking.total,
        ranking.place,
        ranking.last_streak,
        total.weight_scored
    from ranking.total as ranking
    inner join score.total as total
        on ranking.level = total.level
        and ranking.grid_id = total.grid_id
        and ranking.month = total.month
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
    and total.weight_scored = last_month.weight_scored as is_comparable
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
order by last_month.level, last_month.grid_id
