-- grain: one row per unit of the three levels
-- rule: competition places (1, 2, 2, 4) on the published total, within level
--   and peer group; without a total or two thirds of the weight no place; a
--   change only where comparable; last_streak counts months at the last place
-- build: month
-- columns: month date, level integer, peer_group text, grid_id text,
--   total decimal(7, 2), place bigint, is_tied boolean, units bigint,
--   last_place bigint, place_change bigint, total_change decimal(7, 2),
--   is_comparable boolean, last_streak bigint, reason text
with unit as (
    select
        unit.grid_id,
        unit.level,
        unit.peer_group,
        total.total,
        total.reason
    from core.month_unit as unit
    inner join score.total as total
        on unit.grid_id = total.grid_id
        and unit.level = total.level
        and total.month = $month
    where unit.month = $month
),

placed as (
    select
        unit.grid_id,
        unit.level,
        rank() over peers as place,
        count(*) over (
            partition by unit.level, unit.peer_group, unit.total
        ) as ties,
        count(*) over (partition by unit.level, unit.peer_group) as units
    from unit
    where unit.reason is null
    window peers as (
        partition by unit.level, unit.peer_group
        order by unit.total desc
    )
)

select
    $month as month,
    unit.level,
    unit.peer_group,
    unit.grid_id,
    unit.total,
    placed.place,
    coalesce(placed.ties > 1, false) as is_tied,
    coalesce(placed.units, 0) as units,
    before.last_place,
    case
        when before.is_comparable then before.last_place - placed.place
    end as place_change,
    case
        when before.is_comparable then unit.total - before.last_total
    end::decimal(7, 2) as total_change,
    coalesce(before.is_comparable, false) as is_comparable,
    case
        when placed.place + placed.ties - 1 = placed.units
            and placed.place > 1
            then coalesce(before.last_streak, 0) + 1
        else 0
    end as last_streak,
    unit.reason
from unit
left join placed
    on unit.grid_id = placed.grid_id
    and unit.level = placed.level
left join ranking.before as before
    on unit.grid_id = before.grid_id
    and unit.level = before.level
    and before.month = $month
order by unit.level, unit.peer_group, placed.place nulls last, unit.grid_id
