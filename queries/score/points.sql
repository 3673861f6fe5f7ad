-- grain: one row per unit and rubric row with points
-- rule: rates as points_rate says; deduct: P − what was counted, not below the
--   floor, once its fact is delivered; manual: what the line entered, 0 to P;
--   na peers_mean: what does not apply here is the mean of the peers
-- build: month
with cell as (
    select
        rule.*,
        unit.grid_id
    from score.rule as rule
    inner join core.month_unit as unit
        on rule.level = unit.level
        and unit.month = $month
    where rule.month = $month
        and rule.rule in ('deduct', 'manual')
),

own as (
    select
        measure.indicator,
        measure.level,
        measure.grid_id,
        sum(measure.numerator)::bigint as numerator,
        sum(measure.denominator)::bigint as denominator
    from score.measure as measure
    where measure.month = $month
    group by measure.indicator, measure.level, measure.grid_id
),

delivered as (
    select distinct load.target as fact
    from core.load as load
    where load.month = $month
),

counted as (
    select
        cell.level,
        cell.grid_id,
        cell.line,
        cell.indicator,
        coalesce(own.numerator, 0) as numerator,
        own.denominator,
        case
            when cell.fact in ('return', 'manual')
                then own.indicator is not null
            else delivered.fact is not null
        end as is_reported,
        case cell.rule
            when 'manual' then greatest(least(own.numerator, cell.points), 0)
            else greatest(
                cell.points - coalesce(count.taken, 0), coalesce(cell.floor, 0)
            )
        end as points,
        cell.points as full_points
    from cell
    left join own
        on cell.indicator = own.indicator
        and cell.level = own.level
        and cell.grid_id = own.grid_id
    left join score.count as count
        on cell.indicator = count.indicator
        and cell.level = count.level
        and cell.grid_id = count.grid_id
        and count.month = $month
    left join delivered
        on cell.fact = delivered.fact
),

every as (
    select
        rate.level,
        rate.grid_id,
        rate.line,
        rate.indicator,
        rate.numerator,
        rate.denominator,
        rate.own_numerator,
        rate.own_denominator,
        rate.n,
        rate.points,
        rate.full_points,
        rate.state
    from score.points_rate as rate
    where rate.month = $month
    union all
    select
        counted.level,
        counted.grid_id,
        counted.line,
        counted.indicator,
        counted.numerator,
        counted.denominator,
        counted.numerator,
        counted.denominator,
        counted.numerator,
        case when counted.is_reported then counted.points end,
        counted.full_points,
        case when counted.is_reported then 'measured' else 'not_reported' end
    from counted
),

peers as (
    select
        every.indicator,
        every.level,
        unit.peer_group,
        (2 * sum(every.points)::hugeint + count(every.points))
        // nullif(2 * count(every.points), 0) as points
    from every
    inner join core.month_unit as unit
        on every.grid_id = unit.grid_id
        and unit.month = $month
    group by every.indicator, every.level, unit.peer_group
)

select
    $month as month,
    every.level,
    every.grid_id,
    every.line,
    every.indicator,
    every.numerator,
    every.denominator,
    every.own_numerator,
    every.own_denominator,
    every.n,
    case
        when every.state = 'not_applicable' and rule.na = 'peers_mean'
            then peers.points
        else every.points
    end::bigint as points,
    every.full_points,
    every.state
from every
inner join core.month_unit as unit
    on every.grid_id = unit.grid_id
    and unit.month = $month
inner join score.rule as rule
    on every.indicator = rule.indicator
    and every.level = rule.level
    and rule.month = $month
left join peers
    on every.indicator = peers.indicator
    and every.level = peers.level
    and unit.peer_group = peers.peer_group
