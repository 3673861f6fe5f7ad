-- grain: one row per unit and rubric row that is counted or entered
-- rule: deduct: P − what was counted, not below the floor, once its fact is
--   delivered; manual: what the line entered (10⁻⁶ points), 0 to P. A return
--   marked na does not apply to who sends none
-- build: month
with cell as (
    select
        rule.indicator,
        rule.line,
        rule.level,
        rule.rule,
        rule.points,
        rule.floor,
        rule.fact,
        rule.na,
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

counted as (
    select
        cell.*,
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
        end as scored
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
    left join score.delivered as delivered
        on cell.fact = delivered.fact
        and delivered.month = $month
)

select
    $month as month,
    counted.level,
    counted.grid_id,
    counted.line,
    counted.indicator,
    counted.numerator,
    counted.denominator,
    case when counted.is_reported then counted.scored end as points,
    counted.points as full_points,
    case
        when counted.is_reported then 'measured'
        when counted.fact = 'return' and counted.na is not null
            then 'not_applicable'
        else 'not_reported'
    end as state
from counted
order by counted.indicator, counted.level, counted.grid_id
