-- grain: one row per unit and rubric row that is a rate
-- rule: roll-ups pool records: a unit's own cases of the month (own) and of its
--   last three months (pooled), and those of its peer group in the trailing
--   twelve months, what exists of them (peers)
-- build: month
with cell as (
    select
        rule.indicator,
        rule.level,
        unit.grid_id,
        unit.peer_group
    from score.rule as rule
    inner join core.month_unit as unit
        on rule.level = unit.level
        and unit.month = $month
    where rule.month = $month
        and rule.points is not null
        and rule.rule not in ('deduct', 'manual')
),

recent as (
    select
        measure.indicator,
        measure.level,
        measure.grid_id,
        sum(measure.numerator) filter (measure.month = $month)::bigint as own_numerator,
        sum(measure.denominator) filter (measure.month = $month)::bigint as own_denominator,
        sum(measure.numerator)::bigint as pooled_numerator,
        sum(measure.denominator)::bigint as pooled_denominator
    from score.measure as measure
    where measure.month > $month - interval 3 month
        and measure.month <= $month
    group by measure.indicator, measure.level, measure.grid_id
),

peers as (
    select
        measure.indicator,
        measure.level,
        unit.peer_group,
        sum(measure.numerator)::bigint as peers_numerator,
        sum(measure.denominator)::bigint as peers_denominator
    from score.measure as measure
    inner join core.month_unit as unit
        on measure.grid_id = unit.grid_id
        and unit.month = $month
    where measure.month > $month - interval 12 month
        and measure.month <= $month
    group by measure.indicator, measure.level, unit.peer_group
)

select
    $month as month,
    cell.indicator,
    cell.level,
    cell.grid_id,
    recent.own_numerator,
    recent.own_denominator,
    recent.pooled_numerator,
    recent.pooled_denominator,
    peers.peers_numerator,
    peers.peers_denominator
from cell
left join recent
    on cell.indicator = recent.indicator
    and cell.level = recent.level
    and cell.grid_id = recent.grid_id
left join peers
    on cell.indicator = peers.indicator
    and cell.level = peers.level
    and cell.peer_group = peers.peer_group
order by cell.indicator, cell.level, cell.grid_id
