-- grain: one row per unit and total (line ''), line (indicator '') or rubric row
-- rule: the unit's own value beside least, middle and greatest of its level and
--   peer group, itself included; units is how many have a value. No others are
--   named; under 3 units nothing is shown but the own value
-- build: month
with value as (
    select
        total.level,
        total.grid_id,
        '' as line,
        '' as indicator,
        total.total as value,
        100.00::decimal(7, 2) as full_points,
        null::bigint as numerator,
        null::bigint as denominator,
        case when total.is_provisional then 'provisional' else 'scored' end as state
    from score.total as total
    where total.month = $month
    union all
    select
        line.level, line.grid_id, line.line, '', line.score, 100.00, null, null,
        line.state
    from score.line as line
    where line.month = $month
    union all
    select
        points.level,
        points.grid_id,
        points.line,
        points.indicator,
        ((points.points + 5000) // 10000 * 0.01)::decimal(7, 2),
        ((points.full_points + 5000) // 10000 * 0.01)::decimal(7, 2),
        points.numerator,
        points.denominator,
        points.state
    from score.points as points
    semi join score.line as line
        on points.level = line.level
        and points.grid_id = line.grid_id
        and points.line = line.line
        and line.month = $month
    where points.month = $month
),

placed as (
    select
        value.*,
        unit.peer_group,
        unit.path,
        community.name as community
    from value
    inner join core.month_unit as unit
        on value.grid_id = unit.grid_id
        and unit.month = $month
    left join core.month_unit as community
        on unit.community_id = community.grid_id
        and community.month = $month
),

spread as (
    select
        placed.level,
        placed.peer_group,
        placed.line,
        placed.indicator,
        count(placed.value) as units,
        list(placed.value order by placed.value) filter (placed.value is not null) as values
    from placed
    group by placed.level, placed.peer_group, placed.line, placed.indicator
)

select
    $month as month,
    placed.level,
    placed.grid_id,
    case placed.level when 4 then placed.grid_id else placed.path end as name,
    placed.community,
    placed.line,
    upper(placed.indicator) as indicator,
    placed.value,
    placed.full_points,
    placed.numerator,
    placed.denominator,
    placed.state,
    spread.units,
    case when spread.units >= 3 then spread.values[1] end as least,
    case when spread.units >= 3
        then round(
            (spread.values[(spread.units + 1) // 2] + spread.values[(spread.units + 2) // 2]) * 0.5, 2
        )::decimal(7, 2)
    end as middle,
    case when spread.units >= 3 then spread.values[spread.units] end as greatest
from placed
inner join spread using (level, peer_group, line, indicator)
order by placed.level, placed.grid_id, placed.line, placed.indicator
