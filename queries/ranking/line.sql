-- grain: one row per unit and line that exists at its level
-- rule: competition places on the published line score, within level and peer
--   group; units whose line is not scored have no place
-- build: month
-- columns: month date, level integer, peer_group text, line text, grid_id text,
--   score decimal(7, 2), place bigint, is_tied boolean, units bigint,
--   last_place bigint, place_change bigint, score_change decimal(7, 2)
with unit as (
    select
        unit.grid_id,
        unit.level,
        unit.peer_group,
        line.line,
        line.score
    from core.month_unit as unit
    inner join score.line as line
        on unit.grid_id = line.grid_id
        and unit.level = line.level
        and line.month = $month
    where unit.month = $month
),

placed as (
    select
        unit.*,
        case
            when unit.score is not null
                then rank() over (
                    partition by unit.level, unit.peer_group, unit.line
                    order by unit.score desc nulls last
                )
        end as place,
        count(unit.score) over (
            partition by unit.level, unit.peer_group, unit.line, unit.score
        ) as ties,
        count(unit.score) over (
            partition by unit.level, unit.peer_group, unit.line
        ) as units
    from unit
),

before as (
    select
        ranking.grid_id,
        ranking.level,
        ranking.line,
        ranking.score,
        ranking.place
    from ranking.line as ranking
    where ranking.month < $month
        and ranking.month >= $month - interval 1 month
)

select
    $month as month,
    placed.level,
    placed.peer_group,
    placed.line,
    placed.grid_id,
    placed.score,
    placed.place,
    placed.ties > 1 as is_tied,
    placed.units,
    before.place as last_place,
    case when comparable.reason is null then before.place - placed.place end as place_change,
    case when comparable.reason is null then placed.score - before.score end::decimal(7, 2) as score_change
from placed
inner join ranking.comparable as comparable
    on placed.level = comparable.level
    and placed.peer_group = comparable.peer_group
    and comparable.month = $month
left join before
    on placed.grid_id = before.grid_id
    and placed.level = before.level
    and placed.line = before.line
order by placed.level, placed.peer_group, placed.line, placed.place nulls last, placed.grid_id
