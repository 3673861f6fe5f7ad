-- grain: one row per unit and rubric row with points that is a rate
-- rule: which cases a row is scored on. No cases: the unit's own last three
--   months if they hold pool_cases, else its peers' last twelve (no_sample).
--   Below community fewer than min_cases: its own last three months (pooled).
--   Not reported is never imputed.
-- build: month
with info as (
    select
        info.min_cases,
        info.pool_cases,
        info.month_end
    from core.month_info as info
    where info.month = $month
),

-- What has been delivered for the month, by kind of fact.
delivered as (
    select distinct load.target as fact
    from core.load as load
    cross join info
    where (load.target in ('ticket', 'repair') and load.delivered_at >= info.month_end)
        or (load.target in ('activity', 'event') and load.month = $month)
    union all
    select 'grid'
),

cell as (
    select
        rule.*,
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
        sum(measure.numerator)::bigint as numerator,
        sum(measure.denominator)::bigint as denominator
    from score.measure as measure
    inner join core.month_unit as unit
        on measure.grid_id = unit.grid_id
        and unit.month = $month
    where measure.month > $month - interval 12 month
        and measure.month <= $month
    group by measure.indicator, measure.level, unit.peer_group
),

judged as (
    select
        cell.indicator,
        cell.line,
        cell.level,
        cell.grid_id,
        recent.own_numerator,
        recent.own_denominator,
        recent.pooled_numerator,
        recent.pooled_denominator,
        peers.numerator as peers_numerator,
        peers.denominator as peers_denominator,
        case
            when cell.fact = 'return' and recent.own_denominator is null
                and cell.na is null then 'not_reported'
            when cell.fact <> 'return' and delivered.fact is null
                then 'not_reported'
            when cell.na is not null and recent.own_denominator is null
                then 'not_applicable'
            when recent.own_denominator > 0 and (
                cell.level = 2
                or cell.fact in ('return', 'grid')
                or cell.rule not in ('ratio', 'inverse', 'target', 'bands', 'day_bands')
                or recent.own_denominator >= info.min_cases
            ) then 'measured'
            when recent.own_denominator > 0 then 'pooled'
            when recent.pooled_denominator >= info.pool_cases then 'own'
            when peers.denominator > 0 then 'peers'
            else 'not_applicable'
        end as choice
    from cell
    cross join info
    left join delivered
        on cell.fact = delivered.fact
    left join recent
        on cell.indicator = recent.indicator
        and cell.level = recent.level
        and cell.grid_id = recent.grid_id
    left join peers
        on cell.indicator = peers.indicator
        and cell.level = peers.level
        and cell.peer_group = peers.peer_group
)

select
    $month as month,
    judged.indicator,
    judged.line,
    judged.level,
    judged.grid_id,
    judged.own_numerator,
    judged.own_denominator,
    case judged.choice
        when 'measured' then judged.own_numerator
        when 'pooled' then judged.pooled_numerator
        when 'own' then judged.pooled_numerator
        when 'peers' then judged.peers_numerator
    end as numerator,
    case judged.choice
        when 'measured' then judged.own_denominator
        when 'pooled' then judged.pooled_denominator
        when 'own' then judged.pooled_denominator
        when 'peers' then judged.peers_denominator
    end as denominator,
    case
        when judged.choice in ('own', 'peers') then 'no_sample'
        else judged.choice
    end as state
from judged
