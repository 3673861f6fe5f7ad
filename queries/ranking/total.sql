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
        total.weight_scored,
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
),

before as (
    select
        ranking.grid_id,
        ranking.level,
        ranking.total,
        ranking.place,
        ranking.last_streak,
        total.weight_scored
    from ranking.total as ranking
    inner join score.total as total
        on ranking.grid_id = total.grid_id
        and ranking.level = total.level
        and ranking.month = total.month
    where ranking.month < $month
        and ranking.month >= $month - interval 1 month
),

compared as (
    select
        unit.*,
        placed.place,
        placed.ties,
        placed.units,
        before.place as last_place,
        before.total as last_total,
        before.last_streak as streak_before,
        placed.place is not null
        and before.place is not null
        and before.weight_scored = unit.weight_scored
        and comparable.reason is null as is_comparable
    from unit
    inner join ranking.comparable as comparable
        on unit.level = comparable.level
        and unit.peer_group = comparable.peer_group
        and comparable.month = $month
    left join placed
        on unit.grid_id = placed.grid_id
        and unit.level = placed.level
    left join before
        on unit.grid_id = before.grid_id
        and unit.level = before.level
)

select
    $month as month,
    compared.level,
    compared.peer_group,
    compared.grid_id,
    compared.total,
    compared.place,
    coalesce(compared.ties > 1, false) as is_tied,
    coalesce(compared.units, 0) as units,
    compared.last_place,
    case
        when compared.is_comparable then compared.last_place - compared.place
    end as place_change,
    case
        when compared.is_comparable then compared.total - compared.last_total
    end::decimal(7, 2) as total_change,
    compared.is_comparable,
    case
        when compared.place + compared.ties - 1 = compared.units
            and compared.place > 1
            then coalesce(compared.streak_before, 0) + 1
        else 0
    end as last_streak,
    compared.reason
from compared
order by compared.level, compared.peer_group, compared.place nulls last, compared.grid_id
